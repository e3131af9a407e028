import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { GitError, git } from './git.ts';

async function makeRepository(t: TestContext): Promise<string> {
  const cwd = await mkdtemp(join(tmpdir(), 'dbox-git-'));
  t.after(() => rm(cwd, { recursive: true, force: true }));
  await git(['init', '--quiet', '--template=', '--initial-branch=main'], { cwd });
  return cwd;
}
const IDENTITY = {
  GIT_AUTHOR_NAME: 'T',
  GIT_AUTHOR_EMAIL: 't@example.invalid',
  GIT_COMMITTER_NAME: 'T',
  GIT_COMMITTER_EMAIL: 't@example.invalid',
};

test('a failure carries the exit code and what git said', async (t) => {
  const cwd = await makeRepository(t);
  await assert.rejects(git(['rev-parse', '--verify', 'nothing'], { cwd }), (error: GitError) => {
    assert.ok(error instanceof GitError);
    assert.equal(error.exitCode, 128);
    assert.match(error.message, /git rev-parse ended with 128: fatal/);
    return true;
  });
  assert.equal((await git(['rev-parse', '--verify', 'nothing'], { cwd, okExitCodes: [128] })).exitCode, 128);
});

test('hooks, fsmonitor, pagers and filters of the repository do not run', async (t) => {
  const cwd = await makeRepository(t);
  const marker = join(cwd, 'ran');
  const evil = join(cwd, 'evil.sh');
  await writeFile(evil, `#!/bin/sh\ntouch ${marker}\ncat\n`);
  await chmod(evil, 0o755);
  await mkdir(join(cwd, '.git/hooks'), { recursive: true });
  for (const hook of ['pre-commit', 'post-commit', 'commit-msg', 'post-checkout', 'reference-transaction']) {
    await writeFile(join(cwd, '.git/hooks', hook), `#!/bin/sh\ntouch ${marker}\n`);
    await chmod(join(cwd, '.git/hooks', hook), 0o755);
  }
  for (const setting of ['core.fsmonitor', 'core.pager', 'core.editor', 'credential.helper']) {
    await git(['config', setting, evil], { cwd });
  }
  await git(['add', '--all'], { cwd });
  await git(['commit', '--quiet', '-m', 'x'], { cwd, env: IDENTITY });
  await git(['log', '--oneline'], { cwd });
  await git(['checkout', '--quiet', '--detach', 'HEAD'], { cwd });
  const { stdout } = await git(['status', '--porcelain'], { cwd });
  assert.equal(stdout, '');
  await assert.rejects(rm(marker), { code: 'ENOENT' });
});

test('nothing is fetched but files and bundles', async (t) => {
  const cwd = await makeRepository(t);
  for (const url of [
    'ext::sh -c true',
    'https://127.0.0.1:1/x',
    'ssh://127.0.0.1:1/x',
    'git://127.0.0.1:1/x',
  ]) {
    await assert.rejects(git(['fetch', url], { cwd }), /not allowed/, url);
  }
});

test('a git that hangs is killed as a group when its time is over or the signal is aborted', async (t) => {
  const cwd = await makeRepository(t);
  // `!` aliases run a shell: the grandchild must go as well, or the pipe would stay open.
  const hang = ['-c', 'alias.hang=!sleep 600', 'hang'];
  await assert.rejects(git(hang, { cwd, timeoutMs: 100 }), /took too long/);
  const stop = new AbortController();
  const running = git(hang, { cwd, signal: stop.signal });
  stop.abort(new Error('stop'));
  await assert.rejects(running, /^Error: stop$/);
});

test('output past its bound is an error, not memory', async (t) => {
  const cwd = await makeRepository(t);
  await assert.rejects(
    git(['-c', 'alias.flood=!yes', 'flood'], { cwd, maxOutputBytes: 10_000 }),
    /said too much/,
  );
});
