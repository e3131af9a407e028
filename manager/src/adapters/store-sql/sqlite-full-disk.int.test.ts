import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { ProblemError } from '@dbox/contracts';
import { eventDraft } from '../../ports/testing/store-ledger.testsuite.ts';
import { openSqliteStore, verifyLedger } from './index.ts';
import { stillClock } from './testing/still-clock.ts';

const run = promisify(execFile);

/** A file system of 2 MB, or null where this user may not mount one. */
async function mountSmallDisk(t: TestContext): Promise<string | null> {
  const folder = await mkdtemp(join(tmpdir(), 'dbox-full-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder], { timeout: 10_000 });
  } catch {
    await rmdir(folder);
    return null;
  }
  t.after(async () => {
    await run('umount', [folder], { timeout: 10_000 });
    await rmdir(folder);
  });
  return folder;
}

test('on a full disk writes are refused, nothing acknowledged is lost, and it recovers when space is freed', async (t) => {
  const disk = await mountSmallDisk(t);
  if (disk === null) return t.skip('mounting a small file system needs root');
  const ballast = join(disk, 'ballast');
  await writeFile(ballast, Buffer.alloc(700 * 1024));
  const place = { path: join(disk, 'task.db'), headFile: join(disk, 'ledger.head') };
  let store = await openSqliteStore({ ...place, clock: stillClock() });
  const write = (key: string) =>
    store.transact(async (tx) => {
      const answer = randomBytes(5_000).toString('hex');
      await tx.idempotency.insert({ key, bodyHash: '', answer, createdAt: '', version: 1 });
      await tx.events.append(eventDraft('written', { subject: `key/${key}` }));
    });

  const acknowledged: string[] = [];
  const refusals: unknown[] = [];
  for (let round = 0; refusals.length < 9; round++) {
    assert.ok(round < 1_000, 'the disk never filled');
    const keys = [0, 1, 2].map((n) => `${round}-${n}`);
    const settled = await Promise.allSettled(keys.map(write));
    settled.forEach((result, index) => {
      if (result.status === 'fulfilled') acknowledged.push(keys[index]!);
      else refusals.push(result.reason);
    });
  }
  for (const refusal of refusals) {
    assert.ok(refusal instanceof ProblemError, String(refusal));
    assert.ok(['disk_full', 'store_unavailable'].includes(refusal.code));
  }
  assert.ok(refusals.some((refusal) => (refusal as ProblemError).code === 'disk_full'));

  const assertIntact = async () => {
    for (const key of acknowledged) {
      assert.notEqual(await store.read((reader) => reader.idempotency.get(key)), null, key);
    }
    const report = await verifyLedger(store, { headFile: place.headFile });
    assert.deepEqual([report.problem, report.count], [null, acknowledged.length]);
  };
  await assertIntact();

  await rm(ballast);
  await write('recovered');
  acknowledged.push('recovered');
  await assertIntact();
  await store.close();
  store = await openSqliteStore({ ...place, clock: stillClock() });
  t.after(() => store.close());
  await assertIntact();
  await store.close();
});
