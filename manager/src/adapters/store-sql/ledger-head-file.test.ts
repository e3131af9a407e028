import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { EMPTY_HEAD, LedgerHeadFile, readLedgerHead } from './ledger-head-file.ts';
import { stillClock } from './testing/still-clock.ts';

const headAt = (seq: number) => ({ seq, hash: `hash${seq}` });

async function makeFile(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'dbox-head-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'ledger.head');
  const clock = stillClock();
  return {
    path,
    clock,
    open: (head = EMPTY_HEAD) =>
      LedgerHeadFile.open({
        path,
        clock,
        head,
        hashOf: async (seq) => (seq <= head.seq ? `hash${seq}` : null),
      }),
    read: () => readLedgerHead(path),
  };
}

test('a new ledger has a head file at once', async (t) => {
  const made = await makeFile(t);
  await made.open();
  assert.deepEqual(await made.read(), { kind: 'head', head: EMPTY_HEAD });
});

test('many advances become one write, of the newest, when the interval is over', async (t) => {
  const made = await makeFile(t);
  const file = await made.open();
  for (let seq = 1; seq <= 50; seq++) file.advance(headAt(seq));
  assert.deepEqual(await made.read(), { kind: 'head', head: EMPTY_HEAD });
  made.clock.fire();
  file.advance(headAt(51));
  await file.close();
  assert.deepEqual(await made.read(), { kind: 'head', head: headAt(51) });
});

test('closing writes what is still to be written', async (t) => {
  const made = await makeFile(t);
  const file = await made.open();
  file.advance(headAt(3));
  await file.close();
  assert.deepEqual(await made.read(), { kind: 'head', head: headAt(3) });
});

test('a file that lags behind the ledger, as after a kill, is brought up to date', async (t) => {
  const made = await makeFile(t);
  await writeFile(made.path, JSON.stringify(headAt(4)));
  const file = await made.open(headAt(9));
  await file.close();
  assert.deepEqual(await made.read(), { kind: 'head', head: headAt(9) });
});

for (const [name, text] of [
  ['names another hash', JSON.stringify({ seq: 4, hash: 'other' })],
  ['is ahead of the ledger', JSON.stringify(headAt(12))],
  ['is damaged', 'not json'],
] as const) {
  test(`a file that ${name} is evidence: it is never overwritten`, async (t) => {
    const made = await makeFile(t);
    await writeFile(made.path, text);
    const file = await made.open(headAt(9));
    file.advance(headAt(30));
    made.clock.fire();
    await file.close();
    assert.equal(await readFile(made.path, 'utf8'), text);
  });
}

test('a head that cannot be written is tried again later', async (t) => {
  const made = await makeFile(t);
  const file = await made.open();
  // Stands in the way of the temporary file, as a full disk would.
  await mkdir(`${made.path}.tmp`);
  file.advance(headAt(1));
  await file.close();
  assert.deepEqual(await made.read(), { kind: 'head', head: EMPTY_HEAD });
  await rmdir(`${made.path}.tmp`);
  await file.close();
  assert.deepEqual(await made.read(), { kind: 'head', head: headAt(1) });
});
