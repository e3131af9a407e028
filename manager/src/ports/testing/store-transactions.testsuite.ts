import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ProblemError } from '@dbox/contracts';
import { type CommitNotice, DuplicateKeyError, VersionConflictError } from '../store.ts';
import { eventDraft } from './store-ledger.testsuite.ts';
import { jobRecord, projectRecord, storyRecord } from './store-records.ts';
import type { StoreUnderTest } from './store-under-test.ts';

export function describeTransactions(under: StoreUnderTest): void {
  describe('transactions', () => {
    test('what was committed is there after closing and opening again', async () => {
      await under.store.transact(async (tx) => {
        await tx.stories.insert(storyRecord());
        await tx.topology.bump();
      });
      const store = await under.reopen();
      assert.deepEqual(await store.read((reader) => reader.stories.get('st_0000000001')), storyRecord());
      assert.equal(await store.read((reader) => reader.topology.revision()), 1);
    });

    test('a transaction sees its own writes and answers with what its work returned', async () => {
      const seen = await under.store.transact(async (tx) => {
        await tx.stories.insert(storyRecord());
        return tx.stories.get('st_0000000001');
      });
      assert.deepEqual(seen, storyRecord());
    });

    test('a lone transaction that throws leaves nothing, and its error reaches the caller', async () => {
      const bug = new Error('bug');
      await assert.rejects(
        under.store.transact(async (tx) => {
          await tx.stories.insert(storyRecord());
          throw bug;
        }),
        bug,
      );
      assert.equal(await under.store.read((reader) => reader.stories.get('st_0000000001')), null);
    });

    test('of transactions that arrive together, one that throws takes nothing of the others with it', async () => {
      const ids = ['st_000000000a', 'st_000000000b', 'st_000000000c', 'st_000000000d'];
      const settled = await Promise.allSettled(
        ids.map((id, index) =>
          under.store.transact(async (tx) => {
            await tx.stories.insert(storyRecord({ id }));
            await tx.topology.bump();
            if (index % 2 === 1) throw new Error(`refused ${id}`);
          }),
        ),
      );
      assert.deepEqual(
        settled.map((result) => result.status),
        ['fulfilled', 'rejected', 'fulfilled', 'rejected'],
      );
      const stories = await under.store.read((reader) => reader.stories.list({ limit: 10 }));
      assert.deepEqual(stories.map((story) => story.id).sort(), ['st_000000000a', 'st_000000000c']);
      assert.equal(await under.store.read((reader) => reader.topology.revision()), 2);
    });

    test('a work that catches a refusal may go on', async () => {
      await under.store.transact((tx) => tx.stories.insert(storyRecord()));
      await under.store.transact(async (tx) => {
        await assert.rejects(tx.stories.insert(storyRecord()), DuplicateKeyError);
        await tx.projects.insert(projectRecord());
      });
      assert.deepEqual(await under.store.read((reader) => reader.projects.get('blog')), projectRecord());
    });

    test('a save raises the version, and a save of the older one is refused', async () => {
      const loaded = await under.store.transact((tx) => tx.stories.insert(storyRecord()));
      const saved = await under.store.transact((tx) => tx.stories.save({ ...loaded, status: 'planning' }));
      assert.equal(saved.version, 2);
      await assert.rejects(
        under.store.transact((tx) => tx.stories.save({ ...loaded, status: 'failed' })),
        VersionConflictError,
      );
      const found = await under.store.read((reader) => reader.stories.get(loaded.id));
      assert.deepEqual(found, { ...loaded, status: 'planning', version: 2 });
    });

    test('of two that loaded the same version in one commit, the second is refused', async () => {
      const loaded = await under.store.transact((tx) => tx.stories.insert(storyRecord()));
      const settled = await Promise.allSettled(
        ['first', 'second'].map((text) => under.store.transact((tx) => tx.stories.save({ ...loaded, text }))),
      );
      assert.deepEqual(
        settled.map((result) => result.status),
        ['fulfilled', 'rejected'],
      );
      assert.ok((settled[1] as PromiseRejectedResult).reason instanceof VersionConflictError);
      const found = await under.store.read((reader) => reader.stories.get(loaded.id));
      assert.equal(found?.text, 'first');
    });

    test('a save of a record that was never inserted is refused', async () => {
      await assert.rejects(
        under.store.transact((tx) => tx.stories.save(storyRecord())),
        VersionConflictError,
      );
    });

    test('reads see committed state only, also while a transaction is at work', async () => {
      const midst = Promise.withResolvers<void>();
      const seen = midst.promise.then(() =>
        under.store.read((reader) => reader.stories.get('st_0000000001')),
      );
      const work = under.store.transact(async (tx) => {
        await tx.stories.insert(storyRecord());
        midst.resolve();
        // Some turns of the promise queue, in which the read is asked for.
        for (let turn = 0; turn < 10; turn++) await tx.topology.revision();
        throw new Error('taken back');
      });
      await assert.rejects(work, /taken back/);
      assert.equal(await seen, null);
    });

    test('a read sees one state from its start to its end', async () => {
      const midst = Promise.withResolvers<void>();
      const written = midst.promise.then(() => under.store.transact((tx) => tx.topology.bump()));
      const seen = await under.store.read(async (reader) => {
        const before = await reader.topology.revision();
        midst.resolve();
        // Time enough for the transaction, were it let in.
        for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
        return [before, await reader.topology.revision()];
      });
      assert.deepEqual(seen, [0, 0]);
      assert.equal(await written, 1);
    });

    test('a read cannot write', async () => {
      await assert.rejects(
        under.store.read((reader) =>
          (reader.stories as unknown as { insert(r: unknown): Promise<unknown> }).insert(storyRecord()),
        ),
      );
      assert.equal(await under.store.read((reader) => reader.stories.get('st_0000000001')), null);
    });

    test('a read is answered while transactions keep coming', async () => {
      let busy = true;
      const writer = (async () => {
        while (busy) await under.store.transact((tx) => tx.topology.bump());
      })();
      for (let i = 0; i < 5; i++) await under.store.read((reader) => reader.topology.revision());
      busy = false;
      await writer;
    });

    test('a transaction is answered while reads keep coming', async () => {
      let busy = true;
      const readers = Array.from({ length: 4 }, async () => {
        while (busy) await under.store.read((reader) => reader.topology.revision());
      });
      for (let i = 0; i < 5; i++) await under.store.transact((tx) => tx.topology.bump());
      busy = false;
      await Promise.all(readers);
      assert.equal(await under.store.read((reader) => reader.topology.revision()), 5);
    });

    test('a transaction called from inside another one is refused, not waited for', async () => {
      await assert.rejects(
        under.store.transact(() => under.store.transact((tx) => tx.topology.bump())),
        /inside/,
      );
      await assert.rejects(
        under.store.transact(() => under.store.read((reader) => reader.topology.revision())),
        /inside/,
      );
    });

    test('a call that comes after its transaction has ended changes nothing', async () => {
      const late = await under.store.transact(async (tx) => () => tx.stories.insert(storyRecord()));
      await assert.rejects(late());
      assert.equal(await under.store.read((reader) => reader.stories.get('st_0000000001')), null);
    });

    test('closing waits for what is under way and refuses what comes later', async () => {
      const last = under.store.transact((tx) => tx.stories.insert(storyRecord()));
      const closed = Promise.all([under.store.close(), under.store.close()]);
      await assert.rejects(
        under.store.transact((tx) => tx.topology.bump()),
        (error) => error instanceof ProblemError && error.code === 'stopping',
      );
      await last;
      await closed;
      const store = await under.reopen();
      assert.notEqual(await store.read((reader) => reader.stories.get('st_0000000001')), null);
    });
  });

  describe('notices', () => {
    test('each commit is told with its events, queued kinds and topology revision, without what was taken back', async () => {
      const notices: CommitNotice[] = [];
      under.store.onCommit((notice) => notices.push(notice));
      await Promise.allSettled([
        under.store.transact(async (tx) => {
          await tx.jobs.insert(jobRecord());
          await tx.events.append(eventDraft('kept'));
          await tx.topology.bump();
        }),
        under.store.transact(async (tx) => {
          await tx.jobs.insert(jobRecord({ id: 'job_0000000002' }));
          await tx.events.append(eventDraft('taken back'));
          await tx.topology.bump();
          throw new Error('refused');
        }),
      ]);
      assert.deepEqual(
        notices.flatMap((notice) => notice.events.map((event) => event.type)),
        ['kept'],
      );
      assert.deepEqual(
        notices.flatMap((notice) => notice.queuedKinds),
        ['test'],
      );
      assert.deepEqual(
        notices.map((notice) => notice.topologyRevision).filter((revision) => revision !== null),
        [1],
      );
    });

    test('notices come in the order of commits, before the caller goes on, and stop after unsubscribing', async () => {
      const seqs: number[] = [];
      const unsubscribe = under.store.onCommit((notice) =>
        seqs.push(...notice.events.map((event) => event.seq)),
      );
      for (let round = 0; round < 3; round++) {
        await Promise.all(
          Array.from({ length: 5 }, () => under.store.transact((tx) => tx.events.append(eventDraft('t')))),
        );
        assert.equal(seqs.length, (round + 1) * 5);
      }
      assert.deepEqual(
        seqs,
        Array.from({ length: 15 }, (_, index) => index + 1),
      );
      unsubscribe();
      unsubscribe();
      await under.store.transact((tx) => tx.events.append(eventDraft('t')));
      assert.equal(seqs.length, 15);
    });

    test('a job is told as queued when it becomes so, not when a queued one is saved', async () => {
      const queued: string[] = [];
      under.store.onCommit((notice) => queued.push(...notice.queuedKinds));
      await under.store.transact(async (tx) => {
        const job = await tx.jobs.insert(jobRecord());
        await tx.jobs.save({ ...job, priority: 9 });
      });
      assert.deepEqual(queued, ['test']);
      const claimed = await under.store.transact((tx) =>
        tx.jobs.claim({ kinds: ['test'], agentId: 'agt_0000000001', expiresAtMs: 1 }),
      );
      assert.deepEqual(queued, ['test']);
      await under.store.transact((tx) => tx.jobs.save({ ...claimed!, status: 'queued' }));
      assert.deepEqual(queued, ['test', 'test']);
    });
  });
}
