import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { installDependencies } from './install-dependencies.ts';
import { openSandbox } from './open-sandbox.ts';
import { findToolchain } from './toolchain.ts';

test('an .npmrc of a package from git makes no program of its own part of an install', async (t) => {
  const sandbox = await openSandbox({ toolchain: await findToolchain() });
  if (sandbox.kind === 'none') return t.skip(`no sandbox here: ${sandbox.missing}`);
  const tree = await mkdtemp(join(tmpdir(), 'from-git-'));
  t.after(() => rm(tree, { recursive: true, force: true }));
  const files = {
    'package.json': JSON.stringify({ dependencies: { a: 'git+file:///src/a' } }),
    'own-git': '#!/bin/sh\n: > /src/ran\nexit 1\n',
    'a/.npmrc': 'git=/src/own-git\n',
    'a/package.json': JSON.stringify({
      name: 'a',
      version: '1.0.0',
      scripts: { prepare: 'true' },
      devDependencies: { b: 'git+file:///src/none.git' },
    }),
  };
  await mkdir(join(tree, 'a'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(tree, name), text, { mode: 0o755 });
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { cwd: join(tree, 'a') });
  git('init', '-q');
  git('add', '.');
  git('commit', '-qm', 'one');
  const ended = await installDependencies({ sandbox, tree, timeoutMs: 60_000 });
  assert.match(`${ended?.head}${ended?.tail}`, /git dep preparation failed/);
  assert.equal(existsSync(join(tree, 'ran')), false);
});
