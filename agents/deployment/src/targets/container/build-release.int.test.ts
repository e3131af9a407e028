import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { skipWithoutEngine } from '../../engine/testing/find-engine.ts';
import { openContainerBench } from './testing/container-bench.ts';

const skip = await skipWithoutEngine();

test('an install heeds what is harmless in a commit’s .npmrc, and the log names the rest', {
  skip,
}, async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'build-release-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const npmrcFile = join(dir, 'npmrc');
  await writeFile(npmrcFile, '//npm.example.invalid/:_authToken=of-the-box\n');
  const tree = join(dir, 'tree');
  await mkdir(tree);
  // Left out by the harmless setting, so that nothing is asked of a registry.
  const manifest = { name: 'app', version: '1.0.0', engines: { node: '1' }, dependencies: { a: 'file:./a' } };
  await writeFile(join(tree, 'package.json'), JSON.stringify(manifest));
  await writeFile(join(tree, '.npmrc'), 'engine-strict=true\nproxy=http://secret.invalid\n');
  const lines: string[] = [];
  const outcome = await (await openContainerBench(t)).open({ npmrcFile }).build(
    {
      releaseId: 'rel_0000000001',
      project: 'one',
      environment: 'dev',
      commit: '1'.repeat(40),
      runPlan: { kind: 'command', build: null, run: 'node server.js', from: 'package.json' },
      image: null,
      settingsVersion: 0,
      tree,
    },
    { signal: t.signal, onLine: (_, line) => void lines.push(line) },
  );
  assert.ok(!outcome.ok);
  assert.match(outcome.outputTail, /EBADENGINE/);
  assert.ok(lines.includes('.npmrc: left out of the install: proxy'), lines.join('\n'));
  assert.equal(/secret|of-the-box/.test(lines.join('\n')), false);
});
