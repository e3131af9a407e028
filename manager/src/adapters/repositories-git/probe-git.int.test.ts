import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { probeGit } from './probe-git.ts';
import { newDirectory } from './testing/scratch-repository.ts';

function fakeGit(t: TestContext, output: string): string {
  const file = join(newDirectory(t), 'git');
  writeFileSync(file, `#!/bin/sh\necho '${output}'\n`);
  chmodSync(file, 0o755);
  return file;
}

test("the host's git says its version", async () => {
  const found = await probeGit();
  assert.ok('version' in found, JSON.stringify(found));
  assert.match(found.version, /^\d+\.\d+/);
});

test('a missing, broken or too old git is a problem that names the package', async (t) => {
  for (const git of ['/nonexistent/git', fakeGit(t, 'hello'), fakeGit(t, 'git version 2.37.9')]) {
    const found = await probeGit({ git });
    assert.ok('problem' in found, git);
    assert.match(found.problem, /package `git`/);
  }
});

test('a new enough git is taken, also with a name behind its version', async (t) => {
  assert.deepEqual(await probeGit({ git: fakeGit(t, 'git version 2.38.1 (Apple Git-143)') }), {
    version: '2.38.1',
  });
  assert.deepEqual(await probeGit({ git: fakeGit(t, 'git version 3.0.0-rc1') }), { version: '3.0.0' });
});
