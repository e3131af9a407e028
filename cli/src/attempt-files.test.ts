import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { AttachmentError, readAttempt } from './attempt-files.ts';

async function makeDir(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'dbox-attempt-'));
  t.after(() => rm(dir, { recursive: true }));
  return dir;
}

const plenty = (): { leftBytes: number } => ({ leftBytes: 1_000_000 });

test('a directory is sent with its paths, bytes and executable bits, without .git', async (t) => {
  const dir = await makeDir(t);
  await mkdir(join(dir, 'first/src'), { recursive: true });
  await mkdir(join(dir, 'first/.git'));
  await writeFile(join(dir, 'first/.git/config'), 'x');
  await writeFile(join(dir, 'first/src/a.bin'), Buffer.from([0, 255]));
  await writeFile(join(dir, 'first/run.sh'), '#!/bin/sh\n');
  await chmod(join(dir, 'first/run.sh'), 0o755);
  assert.deepEqual(await readAttempt('./first', dir, plenty()), {
    attempt: './first',
    kind: 'directory',
    files: [
      { path: 'run.sh', contentBase64: Buffer.from('#!/bin/sh\n').toString('base64'), executable: true },
      { path: 'src/a.bin', contentBase64: 'AP8=', executable: false },
    ],
  });
});

test('a patch is one file under the words of the spec', async (t) => {
  const dir = await makeDir(t);
  await writeFile(join(dir, 'fix.patch'), 'diff');
  const attachment = await readAttempt('fix.patch', dir, plenty());
  assert.equal(attachment.kind, 'patch');
  assert.equal(attachment.files.length, 1);
});

test('a link inside an attempt is refused, wherever it points', async (t) => {
  const dir = await makeDir(t);
  await mkdir(join(dir, 'first'));
  await symlink('/etc/passwd', join(dir, 'first/passwd'));
  await assert.rejects(
    readAttempt('first', dir, plenty()),
    /"passwd" in the attempt "first" is a symbolic link/,
  );
});

test('what does not exist is named with the place that was looked at', async (t) => {
  const dir = await makeDir(t);
  await assert.rejects(
    readAttempt('gone', dir, plenty()),
    (error: AttachmentError) => error instanceof AttachmentError && error.hint.includes(join(dir, 'gone')),
  );
});

test('all attempts together stay below the cap', async (t) => {
  const dir = await makeDir(t);
  await writeFile(join(dir, 'a.patch'), 'x'.repeat(60));
  const budget = { leftBytes: 100 };
  await readAttempt('a.patch', dir, budget);
  await assert.rejects(readAttempt('a.patch', dir, budget), /together larger than/);
});
