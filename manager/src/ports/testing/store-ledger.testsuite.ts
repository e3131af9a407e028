import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { EventDraft, Store } from '../store.ts';
import type { StoreUnderTest } from './store-under-test.ts';

export function eventDraft(type: string, changes: Partial<EventDraft> = {}): EventDraft {
  return {
    at: '2026-01-01T00:00:00.000Z',
    actor: 'system',
    type,
    subject: 'story/st_1',
    data: {},
    ...changes,
  };
}

async function allEvents(store: Store) {
  return store.read((reader) => reader.events.list({ after: 0, limit: 1000 }));
}

export function describeLedger(under: StoreUnderTest): void {
  describe('the ledger', () => {
    test('an empty ledger has no head', async () => {
      assert.equal(await under.store.read((reader) => reader.events.head()), null);
      assert.deepEqual(await allEvents(under.store), []);
    });

    test('events get gapless numbers and come back as they were appended', async () => {
      const data = { z: [1, { b: null, a: 'é\u0000"' }], a: { n: 0.1 }, __proto__x: true };
      const appended = await under.store.transact(async (tx) => [
        await tx.events.append(eventDraft('one', { data })),
        await tx.events.append(eventDraft('two', { actor: 'agent:coding:agt_1' })),
      ]);
      assert.deepEqual(
        appended.map((event) => event.seq),
        [1, 2],
      );
      assert.deepEqual(await allEvents(under.store), appended);
      assert.deepEqual(await under.store.read((reader) => reader.events.head()), {
        seq: 2,
        hash: appended[1]?.hash,
      });
    });

    test('numbers stay gapless past transactions that fail, alone or in a shared commit', async () => {
      const append = (type: string) => under.store.transact((tx) => tx.events.append(eventDraft(type)));
      const appendAndThrow = () =>
        under.store.transact(async (tx) => {
          await tx.events.append(eventDraft('lost'));
          throw new Error('refused');
        });
      await append('a');
      await assert.rejects(appendAndThrow());
      const settled = [append('b'), appendAndThrow(), appendAndThrow(), append('c'), appendAndThrow()];
      await Promise.allSettled(settled);
      await append('d');
      assert.deepEqual(
        (await allEvents(under.store)).map(({ seq, type }) => [seq, type]),
        [
          [1, 'a'],
          [2, 'b'],
          [3, 'c'],
          [4, 'd'],
        ],
      );
    });

    test('numbers and hashes go on after opening again', async () => {
      await under.store.transact((tx) => tx.events.append(eventDraft('before')));
      const store = await under.reopen();
      await store.transact((tx) => tx.events.append(eventDraft('after')));
      const hashes = (await allEvents(store)).map((event) => event.hash);
      assert.equal(hashes.length, 2);
      assert.notEqual(hashes[0], hashes[1]);
    });

    test('equal events have different hashes, for each covers the one before', async () => {
      const [first, second] = await Promise.all(
        [1, 2].map(() => under.store.transact((tx) => tx.events.append(eventDraft('same')))),
      );
      assert.notEqual(first?.hash, second?.hash);
    });

    test('a list goes on after a number, keeps its limit, and can be of one subject', async () => {
      await under.store.transact(async (tx) => {
        for (let i = 1; i <= 6; i++) {
          await tx.events.append(eventDraft('t', { subject: i % 2 === 0 ? 'task/even' : 'task/odd' }));
        }
      });
      const seqs = async (query: { after: number; limit: number; subject?: string }) =>
        (await under.store.read((reader) => reader.events.list(query))).map((event) => event.seq);
      assert.deepEqual(await seqs({ after: 2, limit: 2 }), [3, 4]);
      assert.deepEqual(await seqs({ after: 0, limit: 10, subject: 'task/even' }), [2, 4, 6]);
      assert.deepEqual(await seqs({ after: 2, limit: 1, subject: 'task/odd' }), [3]);
      assert.deepEqual(await seqs({ after: 6, limit: 10 }), []);
    });

    test('half of a surrogate pair in an event does not break the chain', async () => {
      const event = await under.store.transact((tx) =>
        tx.events.append(
          eventDraft('t\ud800', { actor: '\udfff', subject: 'story/\ud800', data: { text: '\udc00' } }),
        ),
      );
      assert.deepEqual(await allEvents(under.store), [event]);
    });
  });
}
