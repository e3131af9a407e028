import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { StoredRow, StoreSnapshot } from '../store-snapshot.ts';
import { eventDraft } from './store-ledger.testsuite.ts';
import { storyRecord } from './store-records.ts';
import type { StoreUnderTest } from './store-under-test.ts';

async function rowsOf(snapshot: StoreSnapshot, table: string): Promise<StoredRow[]> {
  const rows: StoredRow[] = [];
  for await (const row of snapshot.rows(table)) rows.push(row);
  return rows;
}

export function describeSnapshots(under: StoreUnderTest): void {
  const write = (n: number) =>
    under.store.transact(async (tx) => {
      await tx.stories.insert(storyRecord({ id: `st_${String(n).padStart(10, '0')}` }));
      return tx.events.append(eventDraft('story.received', { data: { n } }));
    });

  describe('a snapshot', () => {
    test('shows every table, in the order of insertion, with numbers as numbers', async () => {
      for (let n = 1; n <= 250; n++) await write(n);
      const snapshot = await under.store.snapshot();
      try {
        const stories = await rowsOf(snapshot, 'stories');
        assert.deepEqual(
          stories.map((row) => row.ordinal),
          Array.from({ length: 250 }, (_, n) => n + 1),
        );
        assert.equal(JSON.parse(String(stories[0]!.doc)).id, 'st_0000000001');
        const events = await rowsOf(snapshot, 'events');
        assert.deepEqual(
          { seq: events.at(-1)!.seq, hash: events.at(-1)!.hash },
          { ...snapshot.head, seq: 250 },
        );
        assert.ok(snapshot.tables.includes('jobs') && snapshot.tables.includes('topology'));
        assert.ok(!snapshot.tables.includes('applied_migrations'));
        assert.equal(snapshot.schema[0], '0001-initial');
        assert.deepEqual(await rowsOf(snapshot, 'jobs'), []);
      } finally {
        await snapshot.close();
      }
    });

    test('is of one moment, and holds no writer up', async () => {
      let stop = false;
      let n = 0;
      const acknowledged: number[] = [];
      const writing = (async () => {
        while (!stop) acknowledged.push((await write(++n)).seq);
      })();
      for (let round = 0; round < 3; round++) {
        const before = acknowledged.length;
        const snapshot = await under.store.snapshot();
        const stories = (await rowsOf(snapshot, 'stories')).length;
        const events = (await rowsOf(snapshot, 'events')).length;
        await snapshot.close();
        assert.equal(stories, events, 'a story and its event are written together');
        assert.equal(events, snapshot.head.seq);
        assert.ok(events >= before, `what was acknowledged before (${before}) is in it (${events})`);
      }
      stop = true;
      await writing;
    });

    test('of an empty store has no head', async () => {
      const snapshot = await under.store.snapshot();
      assert.equal(snapshot.head.seq, 0);
      assert.deepEqual(await rowsOf(snapshot, 'events'), []);
      await snapshot.close();
    });

    test('a store that closes waits for the copy that is being made', async () => {
      await write(1);
      const taken = under.store.snapshot();
      await under.store.close();
      const snapshot = await taken;
      assert.equal((await rowsOf(snapshot, 'stories')).length, 1);
      await snapshot.close();
      await assert.rejects(under.store.snapshot(), /stopping/);
    });
  });
}
