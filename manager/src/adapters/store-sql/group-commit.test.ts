import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ProblemError } from '@dbox/contracts';
import { eventDraft } from '../../ports/testing/store-ledger.testsuite.ts';
import { storyRecord } from '../../ports/testing/store-records.ts';
import { EMPTY_HEAD } from './ledger-head-file.ts';
import { migrate } from './migrations/index.ts';
import { SqlStore } from './sql-store.ts';
import { openSqliteDatabase } from './sqlite.ts';
import { verifyLedger } from './verify-ledger.ts';

const FULL = 13;
const IO_ERROR = 10;

/** A store whose database fails a statement when it is told to; `sent` is all the SQL it was sent. */
async function makeStore(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'dbox-commit-'));
  const database = await openSqliteDatabase(join(folder, 'task.db'));
  await migrate({ ...database, appliedAt: '' });
  const sent: string[] = [];
  let trouble: { matches: RegExp; errcode: number; rollsBack: boolean } | null = null;
  const store = new SqlStore({
    database: {
      ...database,
      connection: {
        ...database.connection,
        async executeQuery<R>(query: Parameters<typeof database.connection.executeQuery>[0]) {
          sent.push(query.sql);
          if (trouble?.matches.test(query.sql)) {
            const { errcode, rollsBack } = trouble;
            trouble = null;
            if (rollsBack)
              await database.connection.executeQuery({ ...query, sql: 'rollback', parameters: [] });
            throw Object.assign(new Error('the disk says no'), { errcode });
          }
          return database.connection.executeQuery<R>(query);
        },
      },
    },
    head: EMPTY_HEAD,
    headFile: null,
  });
  t.after(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });
  const write = (id: string) =>
    store.transact(async (tx) => {
      await tx.stories.insert(storyRecord({ id }));
      await tx.events.append(eventDraft('written', { subject: id }));
    });
  return {
    store,
    sent,
    write,
    fail: (matches: RegExp, errcode: number, o = { rollsBack: false }) => {
      trouble = { matches, errcode, ...o };
    },
  };
}

async function codesOf(works: Promise<unknown>[]): Promise<string[]> {
  const settled = await Promise.allSettled(works);
  return settled.map((result) => {
    if (result.status === 'fulfilled') return 'done';
    return result.reason instanceof ProblemError ? result.reason.code : String(result.reason);
  });
}

test('transactions of one tick share one commit; a lone one has no savepoint', async (t) => {
  const { sent, write } = await makeStore(t);
  await Promise.all(['a', 'b', 'c'].map(write));
  const count = (sql: string) => sent.filter((text) => text === sql).length;
  assert.deepEqual([count('begin immediate'), count('savepoint work'), count('commit')], [1, 3, 1]);
  await write('d');
  assert.deepEqual([count('begin immediate'), count('savepoint work'), count('commit')], [2, 3, 2]);
});

for (const [name, errcode, code] of [
  ['a full disk', FULL, 'disk_full'],
  ['a failing disk', IO_ERROR, 'store_unavailable'],
] as const) {
  test(`${name} at the commit rejects the whole batch, tells nobody, and the store goes on`, async (t) => {
    const { store, write, fail } = await makeStore(t);
    let told = 0;
    store.onCommit(() => told++);
    fail(/^commit$/, errcode);
    assert.deepEqual(await codesOf(['a', 'b'].map(write)), [code, code]);
    assert.equal(told, 0);
    assert.equal(await store.read((reader) => reader.stories.get('a')), null);

    assert.deepEqual(await codesOf(['a', 'b'].map(write)), ['done', 'done']);
    assert.deepEqual(await verifyLedger(store, { headFile: null }).then((r) => [r.ok, r.count]), [true, 2]);
  });
}

test('trouble of the disk in one work takes the batch, for its database may have rolled all of it back', async (t) => {
  for (const rollsBack of [false, true]) {
    const { store, write, fail } = await makeStore(t);
    fail(/^insert into "events"/, FULL, { rollsBack });
    const swallowed = store.transact(async (tx) => {
      await tx.stories.insert(storyRecord({ id: 's' }));
      await tx.events.append(eventDraft('lost')).catch(() => undefined);
    });
    assert.deepEqual(await codesOf([swallowed, write('a'), write('b')]), [
      'disk_full',
      'disk_full',
      'disk_full',
    ]);
    assert.deepEqual(await codesOf([write('a'), write('b')]), ['done', 'done']);
    assert.deepEqual(await verifyLedger(store, { headFile: null }).then((r) => [r.ok, r.count]), [true, 2]);
  }
});

test('a batch that cannot begin is rejected and the next one works', async (t) => {
  const { write, fail } = await makeStore(t);
  fail(/^begin/, IO_ERROR);
  assert.deepEqual(await codesOf(['a', 'b'].map(write)), ['store_unavailable', 'store_unavailable']);
  assert.deepEqual(await codesOf([write('a')]), ['done']);
});

test('a read that the disk fails gets a problem to act on', async (t) => {
  const { store, fail } = await makeStore(t);
  fail(/^select/, IO_ERROR);
  assert.deepEqual(await codesOf([store.read((reader) => reader.stories.get('a'))]), ['store_unavailable']);
});
