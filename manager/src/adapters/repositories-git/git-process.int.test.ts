import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { GitError, git, gitProgram, runGit } from './git-process.ts';
import { newDirectory } from './testing/scratch-repository.ts';

function fake(t: TestContext, script: string) {
  const file = join(newDirectory(t), 'git');
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return { program: gitProgram({ git: file }) };
}

test('a git that does not end is ended with all it started', async (t) => {
  const { program } = fake(t, 'sleep 3600 & sleep 3600');
  // Resolves only when nobody holds its output any more.
  const outcome = await runGit(program, { args: ['x'], cwd: '/', timeoutMs: 200 });
  assert.equal(outcome.timedOut, true);
  assert.equal(outcome.exitCode, null);
});

test('output past its bound is cut and ends the process', async (t) => {
  const { program } = fake(t, 'while :; do echo 0123456789; done');
  const outcome = await runGit(program, { args: ['x'], cwd: '/', maxOutputBytes: 1_000 });
  assert.deepEqual([outcome.cut, outcome.stdout.length], [true, 1_000]);
  await assert.rejects(git(program, { args: ['x'], cwd: '/', maxOutputBytes: 1_000 }), GitError);
});

test('endless complaints are bounded too', async (t) => {
  const { program } = fake(t, 'head -c 5000000 /dev/zero | tr "\\0" x >&2; echo end >&2; exit 3');
  const outcome = await runGit(program, { args: ['x'], cwd: '/' });
  assert.equal(outcome.exitCode, 3);
  assert.ok(outcome.stderr.length <= 4_096 && outcome.stderr.endsWith('end'));
});

test('nothing of the environment reaches git, and standard input is closed', async (t) => {
  process.env.DBOX_TEST_CANARY = 'secret';
  t.after(() => delete process.env.DBOX_TEST_CANARY);
  const { program } = fake(t, 'cat; env');
  const printed = await git(program, { args: ['x'], cwd: '/' });
  assert.doesNotMatch(printed, /canary|secret/i);
  assert.match(printed, /^GIT_CONFIG_GLOBAL=\/dev\/null$/m);
  assert.match(printed, /^HOME=\/nonexistent$/m);
});

test('a git that cannot be started is an error that says so', async () => {
  const missing = gitProgram({ git: '/nonexistent/git' });
  await assert.rejects(runGit(missing, { args: ['version'], cwd: '/' }), /git could not be started/);
});

test('what git says of a full disk is told apart from its other failures', async (t) => {
  const full = fake(t, 'echo "fatal: write error: No space left on device" >&2; exit 128');
  await assert.rejects(git(full.program, { args: ['init'], cwd: '/' }), { name: 'GitError', code: 'ENOSPC' });
  const other = fake(t, 'echo "fatal: bad object" >&2; exit 128');
  await assert.rejects(git(other.program, { args: ['init'], cwd: '/' }), { name: 'GitError', code: null });
});
