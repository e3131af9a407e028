import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { StoredRow, StoreSnapshot } from '../../ports/store-snapshot.ts';
import { eventDraft } from '../../ports/testing/store-ledger.testsuite.ts';
import { storyRecord } from '../../ports/testing/store-records.ts';
import { holdsAnything } from './catalog.ts';
import { LoadRefusedError, loadTables } from './load-tables.ts';
import { openSqliteDatabase, openSqliteStore } from './sqlite.ts';
import { stillClock } from './testing/still-clock.ts';

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dbox-load-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

async function filledSnapshot(folder: string): Promise<StoreSnapshot> {
  const store = await openSqliteStore({ path: join(folder, 'a.db'), clock: stillClock(), headFile: null });
  for (let n = 1; n <= 120; n++) {
    await store.transact(async (tx) => {
      await tx.stories.insert(storyRecord({ id: `st_${String(n).padStart(10, '0')}` }));
      await tx.events.append(eventDraft('story.received', { data: { n } }));
      if (n % 40 === 0) await tx.topology.bump();
    });
  }
  const snapshot = await store.snapshot();
  await store.close();
  return snapshot;
}

type Rows = { table: string; row: StoredRow }[];

async function allRows(snapshot: StoreSnapshot): Promise<Rows> {
  const rows: Rows = [];
  for (const table of snapshot.tables)
    for await (const row of snapshot.rows(table)) rows.push({ table, row });
  return rows;
}

async function* each(rows: Rows) {
  yield* rows;
}

function loading(snapshot: StoreSnapshot, rows: Rows) {
  const tables: Record<string, number> = {};
  for (const { table } of rows) tables[table] = (tables[table] ?? 0) + 1;
  return {
    schema: snapshot.schema,
    appliedAt: 'now',
    rows: each(rows),
    expected: { head: snapshot.head, tables },
    revisionsAhead: 0,
  };
}

test('what a snapshot shows is what another store holds afterwards, and it goes on from there', async (t) => {
  const folder = await folderOf(t);
  const snapshot = await filledSnapshot(folder);
  const rows = await allRows(snapshot);
  const target = join(folder, 'b.db');
  const database = await openSqliteDatabase(target);
  assert.equal(await holdsAnything(database), false);
  await loadTables({ ...loading(snapshot, rows), database, revisionsAhead: 1000 });
  assert.equal(await holdsAnything(database), true);
  await database.close();

  const store = await openSqliteStore({ path: target, clock: stillClock(), headFile: null });
  const again = await store.snapshot();
  const expected = rows.map((one) =>
    one.table === 'topology' ? { ...one, row: { id: 1, revision: 1003 } } : one,
  );
  assert.deepEqual(await allRows(again), expected);
  const appended = await store.transact(async (tx) => {
    await tx.stories.insert(storyRecord({ id: 'st_new0000000' }));
    return tx.events.append(eventDraft('story.received'));
  });
  assert.equal(appended.seq, 121);
  await again.close();
  await snapshot.close();
  await store.close();
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.includes('.copy-')),
    [],
  );
});

test('what does not add up is refused, and the store stays empty', async (t) => {
  const folder = await folderOf(t);
  const snapshot = await filledSnapshot(folder);
  t.after(() => snapshot.close());
  const rows = await allRows(snapshot);
  const database = await openSqliteDatabase(join(folder, 'b.db'));
  t.after(() => database.close());
  const change = (at: number, row: StoredRow) => rows.map((one, n) => (n === at ? { ...one, row } : one));
  const event = rows.findIndex((one) => one.table === 'events') + 50;
  const story = rows.findIndex((one) => one.table === 'stories');
  const { row } = rows[event]!;
  const wrong: [string, Partial<Parameters<typeof loadTables>[0]>, RegExp][] = [
    ['an event changed', { rows: each(change(event, { ...row, actor: 'x' })) }, /event 51 was changed/],
    ['an event too few', { rows: each(rows.toSpliced(event, 1)) }, /events has 119 rows, 120/],
    [
      'another end',
      { expected: { ...loading(snapshot, rows).expected, head: { seq: 119, hash: 'f'.repeat(64) } } },
      /ends at event 120/,
    ],
    ['a column too many', { rows: each(change(event, { ...row, more: 1 })) }, /has the columns/],
    ['a wrong type', { rows: each(change(event, { ...row, seq: 'x' })) }, /do not fit/],
    ['a key twice', { rows: each([...rows, rows[story]!]) }, /do not fit|stories has/],
    ['a foreign table', { rows: each([{ table: 'sqlite_schema', row: {} }]) }, /no table/],
    ['a later schema', { schema: [...snapshot.schema, '0099-later'] }, /newer version/],
  ];
  for (const [what, changes, says] of wrong) {
    await assert.rejects(
      loadTables({ ...loading(snapshot, rows), database, ...changes }),
      (error) => error instanceof LoadRefusedError && says.test(error.message),
      what,
    );
    assert.equal(await holdsAnything(database), false, what);
  }
  await loadTables({ ...loading(snapshot, rows), database });
});

test('copies that a killed process left behind go when the store opens', async (t) => {
  const folder = await folderOf(t);
  const snapshot = await filledSnapshot(folder);
  assert.equal((await readdir(folder)).filter((name) => name.startsWith('a.db.copy-')).length > 0, true);
  const store = await openSqliteStore({ path: join(folder, 'a.db'), clock: stillClock(), headFile: null });
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.startsWith('a.db.copy-')),
    [],
  );
  await snapshot.close();
  await store.close();
});
