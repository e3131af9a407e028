import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { eventDraft } from '../../ports/testing/store-ledger.testsuite.ts';
import { openSqliteStore, verifyLedger } from './index.ts';
import { stillClock } from './testing/still-clock.ts';

const EVENTS = 1_203;

/** A closed store with more than two pages of events. */
async function makeLedger(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'dbox-ledger-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const place = { path: join(folder, 'task.db'), headFile: join(folder, 'ledger.head') };
  const store = await openSqliteStore({ ...place, clock: stillClock() });
  await store.transact(async (tx) => {
    for (let n = 1; n <= EVENTS; n++) {
      await tx.events.append(eventDraft('counted', { subject: `story/${n % 7}`, data: { n } }));
    }
  });
  await store.close();
  return {
    ...place,
    tamper(sql: string) {
      const database = new DatabaseSync(place.path);
      database.exec(sql);
      database.close();
    },
    async verify(headFile: string | null = place.headFile) {
      const opened = await openSqliteStore({ ...place, clock: stillClock() });
      try {
        return await verifyLedger(opened, { headFile });
      } finally {
        await opened.close();
      }
    },
  };
}

test('an untouched ledger verifies, with and without a head file', async (t) => {
  const ledger = await makeLedger(t);
  const report = await ledger.verify();
  const head = JSON.parse(await readFile(ledger.headFile, 'utf8'));
  assert.deepEqual(report, { ok: true, count: EVENTS, headSeq: EVENTS, headHash: head.hash, problem: null });
  assert.equal(head.seq, EVENTS);
  assert.equal((await ledger.verify(null)).ok, true);
});

const TAMPERINGS: readonly [name: string, sql: string, problem: RegExp][] = [
  ['a changed payload', `update events set data = '{"n":7000}' where seq = 700`, /event 700 was changed/],
  ['a changed actor', `update events set actor = 'operator' where seq = 1`, /event 1 was changed/],
  ['a payload that is no JSON', `update events set data = '{' where seq = 700`, /not JSON/],
  ['a removed event', 'delete from events where seq = 600', /event 600 is missing/],
  [
    'a removed event whose gap was closed',
    'delete from events where seq = 1200; update events set seq = seq - 1 where seq > 1200',
    /event 1200 was changed or moved/,
  ],
  [
    'two events in each other’s place',
    'update events set seq = -1 where seq = 10; update events set seq = 10 where seq = 11; update events set seq = 11 where seq = -1',
    /event 10 was changed or moved/,
  ],
  [
    'a ledger cut at its end',
    'delete from events where seq > 1000',
    /cut: it ends at event 1000, .* names 1203/,
  ],
  ['an emptied ledger', 'delete from events', /cut: it ends at event 0/],
];
for (const [name, sql, problem] of TAMPERINGS) {
  test(`${name} is found, and found again after the box has run on`, async (t) => {
    const ledger = await makeLedger(t);
    ledger.tamper(sql);
    const report = await ledger.verify();
    assert.equal(report.ok, false);
    assert.match(report.problem ?? '', problem);

    const store = await openSqliteStore({ ...ledger, clock: stillClock() });
    await store.transact(async (tx) => {
      for (let n = 0; n < 300; n++) await tx.events.append(eventDraft('later'));
    });
    await store.close();
    assert.equal((await ledger.verify()).ok, false);
  });
}

test('a history rewritten with fitting hashes is found by the head file', async (t) => {
  const ledger = await makeLedger(t);
  const head = JSON.parse(await readFile(ledger.headFile, 'utf8'));
  await writeFile(ledger.headFile, JSON.stringify({ seq: head.seq, hash: 'f'.repeat(64) }));
  assert.match((await ledger.verify()).problem ?? '', /history was rewritten: event 1203/);
});

test('a head file that is missing or damaged while the box runs is reported', async (t) => {
  const ledger = await makeLedger(t);
  const store = await openSqliteStore({ ...ledger, clock: stillClock() });
  t.after(() => store.close());
  await writeFile(ledger.headFile, '{"seq":');
  assert.match((await verifyLedger(store, ledger)).problem ?? '', /cannot be read/);
  await rm(ledger.headFile);
  assert.match((await verifyLedger(store, ledger)).problem ?? '', /is missing/);
});

test('deleting the head file while the box is down accepts the ledger as it stands', async (t) => {
  const ledger = await makeLedger(t);
  ledger.tamper('delete from events where seq > 1000');
  await rm(ledger.headFile);
  const report = await ledger.verify();
  assert.deepEqual([report.ok, report.count], [true, 1000]);
});
