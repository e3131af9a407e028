import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openSqliteStore, StoreHeldError, verifyLedger } from './index.ts';
import { stillClock } from './testing/still-clock.ts';

const WRITER = fileURLToPath(new URL('./testing/write-in-a-loop.ts', import.meta.url));

async function makePlace(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'dbox-store-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const place = { path: join(folder, 'task.db'), headFile: join(folder, 'ledger.head') };
  return { ...place, open: () => openSqliteStore({ ...place, clock: stillClock() }) };
}
type Place = Awaited<ReturnType<typeof makePlace>>;

/** Starts the writer; `acknowledged` grows line by line, a line cut by the kill is not counted. */
function startWriter(t: TestContext, place: Place, run: string) {
  const child = spawn(process.execPath, [WRITER, place.path, place.headFile, run], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  t.after(() => child.kill('SIGKILL'));
  const acknowledged: string[] = [];
  const lines = createInterface({ input: child.stdout });
  const reached = (count: number) =>
    new Promise<void>((resolve, reject) => {
      lines.on('line', (line) => {
        acknowledged.push(line);
        if (acknowledged.length >= count) resolve();
      });
      child.once('exit', () => reject(new Error('the writer ended by itself')));
    });
  return { child, acknowledged, reached, drained: () => once(lines, 'close') };
}

test('a second process is refused while one holds the store, and let in after it was killed', {
  timeout: 60_000,
}, async (t) => {
  const place = await makePlace(t);
  const writer = startWriter(t, place, 'first');
  await writer.reached(1);
  await assert.rejects(place.open(), (error) => {
    assert.ok(error instanceof StoreHeldError);
    assert.equal(error.place, place.path);
    return true;
  });
  const ended = once(writer.child, 'exit');
  writer.child.kill('SIGKILL');
  await ended;
  const store = await place.open();
  // Held from its opening on, before the first piece of work.
  await assert.rejects(place.open(), StoreHeldError);
  await store.close();
});

test('after kill -9 in the midst of writing all that was acknowledged is there and the chain verifies', {
  timeout: 120_000,
}, async (t) => {
  const place = await makePlace(t);
  const acknowledged: string[] = [];
  for (let round = 0; round < 4; round++) {
    const writer = startWriter(t, place, `round${round}`);
    await writer.reached(40 + round * 57);
    const ended = Promise.all([once(writer.child, 'exit'), writer.drained()]);
    writer.child.kill('SIGKILL');
    await ended;
    acknowledged.push(...writer.acknowledged);

    const store = await place.open();
    const found = new Set<string>();
    for (const key of acknowledged) {
      if ((await store.read((reader) => reader.idempotency.get(key))) !== null) found.add(key);
    }
    assert.deepEqual(
      acknowledged.filter((key) => !found.has(key)),
      [],
    );
    const report = await verifyLedger(store, { headFile: place.headFile });
    assert.equal(report.problem, null);
    assert.ok(report.count >= acknowledged.length);
    await store.close();
  }
});
