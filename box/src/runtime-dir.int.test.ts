import assert from 'node:assert/strict';
import { chmod, lstat, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeRuntimeDir } from './runtime-dir.ts';

test('the runtime directory is private, may be there already, and is neither a link nor open to others', async (t) => {
  const place = await mkdtemp(join(tmpdir(), 'runtime-'));
  t.after(() => rm(place, { recursive: true }));
  const own = join(place, 'own');
  await makeRuntimeDir(own);
  await makeRuntimeDir(own);
  assert.equal((await lstat(own)).mode & 0o777, 0o700);

  await chmod(own, 0o755);
  await assert.rejects(makeRuntimeDir(own), /not a private directory/);

  const elsewhere = join(place, 'elsewhere');
  await mkdir(elsewhere, { mode: 0o700 });
  await symlink(elsewhere, join(place, 'link'));
  await assert.rejects(makeRuntimeDir(join(place, 'link')), /not a private directory/);
});
