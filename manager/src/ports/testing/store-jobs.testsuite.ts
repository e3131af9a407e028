import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { JobKind } from '@dbox/contracts';
import { isoOf } from '../clock.ts';
import type { JobRecord } from '../records.ts';
import { DuplicateKeyError } from '../store.ts';
import { deployPayload, jobRecord, releaseRecord } from './store-records.ts';
import type { StoreUnderTest } from './store-under-test.ts';

const AGENT = 'agt_0000000001';
const COMMIT = 'b'.repeat(40);

export function describeJobs(under: StoreUnderTest): void {
  const insert = (...jobs: JobRecord[]) =>
    under.store.transact(async (tx) => {
      for (const job of jobs) await tx.jobs.insert(job);
    });
  const claim = (kinds: readonly JobKind[], expiresAtMs = 1_000) =>
    under.store.transact((tx) => tx.jobs.claim({ kinds, agentId: AGENT, expiresAtMs }));

  describe('jobs', () => {
    test('a claim leases the job: agent, expiry and a fence one higher, the confirmed commit forgotten', async () => {
      const job = jobRecord({ fence: 4, confirmedCommit: COMMIT });
      await insert(job);
      const claimed = await claim(['test'], 15_000);
      const expected: JobRecord = {
        ...job,
        status: 'leased',
        fence: 5,
        agentId: AGENT,
        leaseExpiresAtMs: 15_000,
        leaseExpiresAt: isoOf(15_000),
        confirmedCommit: null,
        version: 2,
      };
      assert.deepEqual(claimed, expected);
      assert.deepEqual(await under.store.read((reader) => reader.jobs.get(job.id)), expected);
    });

    test('the highest priority goes first, then the oldest', async () => {
      await insert(
        jobRecord({ id: 'job_low', priority: 1 }),
        jobRecord({ id: 'job_high_old', priority: 5 }),
        jobRecord({ id: 'job_high_new', priority: 5 }),
        jobRecord({ id: 'job_highest', priority: 7 }),
      );
      const order: (string | undefined)[] = [];
      for (let i = 0; i < 5; i++) order.push((await claim(['test']))?.id);
      assert.deepEqual(order, ['job_highest', 'job_high_old', 'job_high_new', 'job_low', undefined]);
    });

    test('a claim takes only the kinds it names, and the best over all of them', async () => {
      await insert(
        jobRecord({ id: 'job_plan', kind: 'plan', priority: 1 }),
        jobRecord({ id: 'job_code', kind: 'code', priority: 3 }),
        jobRecord({ id: 'job_code_2', kind: 'code', priority: 1 }),
        jobRecord({ id: 'job_test', kind: 'test', priority: 9 }),
      );
      assert.equal(await claim([]), null);
      assert.equal(await claim(['deploy']), null);
      assert.equal((await claim(['plan', 'code']))?.id, 'job_code');
      assert.equal((await claim(['plan', 'code']))?.id, 'job_plan');
      assert.equal((await claim(['plan', 'code']))?.id, 'job_code_2');
      assert.equal(await claim(['plan', 'code']), null);
    });

    test('many claims at once never get the same job', async () => {
      const ids = Array.from({ length: 40 }, (_, index) => `job_${index}`);
      await insert(...ids.map((id) => jobRecord({ id })));
      const claimed = await Promise.all(Array.from({ length: 60 }, () => claim(['test'])));
      const got = claimed.flatMap((job) => (job === null ? [] : [job.id]));
      assert.deepEqual(got.sort(), ids.sort());
    });

    test('a claim in a transaction that fails leaves the job queued under its old fence', async () => {
      await insert(jobRecord());
      await assert.rejects(
        under.store.transact(async (tx) => {
          await tx.jobs.claim({ kinds: ['test'], agentId: AGENT, expiresAtMs: 1 });
          throw new Error('refused');
        }),
      );
      const job = await under.store.read((reader) => reader.jobs.get('job_0000000001'));
      assert.deepEqual([job?.status, job?.fence, job?.version], ['queued', 0, 1]);
    });

    test('a claimed job that is given back can be claimed again under the next fence', async () => {
      await insert(jobRecord());
      const first = await claim(['test']);
      await under.store.transact((tx) =>
        tx.jobs.save({ ...first!, status: 'queued', agentId: null, leaseExpiresAtMs: null }),
      );
      const given = await under.store.read((reader) => reader.jobs.get(first!.id));
      assert.deepEqual([given?.status, given?.fence, given?.leaseExpiresAt], ['queued', 1, null]);
      assert.equal((await claim(['test']))?.fence, 2);
    });

    test('a saved job keeps every field', async () => {
      await insert(jobRecord());
      const claimed = await claim(['test'], 5_000);
      const finished: JobRecord = {
        ...claimed!,
        status: 'succeeded',
        result: {
          kind: 'test',
          outcome: 'succeeded',
          tests: [],
          checks: [],
          changedTestFiles: ['a.test.ts'],
        },
        finishedAt: isoOf(6_000),
        leaseExpiresAtMs: null,
        leaseExpiresAt: null,
        confirmedCommit: COMMIT,
      };
      const saved = await under.store.transact((tx) => tx.jobs.save(finished));
      assert.deepEqual(saved, { ...finished, version: 3 });
      assert.deepEqual(await under.store.read((reader) => reader.jobs.get(finished.id)), saved);
    });

    test('expired are the leased ones whose time is over, to the millisecond', async () => {
      await insert(
        jobRecord({ id: 'job_over', status: 'leased', leaseExpiresAtMs: 999 }),
        jobRecord({ id: 'job_now', status: 'leased', leaseExpiresAtMs: 1_000 }),
        jobRecord({ id: 'job_later', status: 'leased', leaseExpiresAtMs: 1_001 }),
        jobRecord({ id: 'job_done', status: 'succeeded', leaseExpiresAtMs: 5 }),
        jobRecord({ id: 'job_queued', status: 'queued' }),
      );
      const expired = await under.store.read((reader) => reader.jobs.listExpired(1_000));
      assert.deepEqual(
        expired.map((job) => job.id),
        ['job_over', 'job_now'],
      );
      const leased = await under.store.read((reader) => reader.jobs.listLeased());
      assert.deepEqual(
        leased.map((job) => job.id),
        ['job_over', 'job_now', 'job_later'],
      );
    });

    test('open jobs and all jobs are listed by task and by project, oldest first', async () => {
      await insert(
        jobRecord({ id: 'job_1', status: 'succeeded' }),
        jobRecord({ id: 'job_2', status: 'leased', leaseExpiresAtMs: 1 }),
        jobRecord({ id: 'job_3' }),
        jobRecord({ id: 'job_4', taskId: 'task-002' }),
        jobRecord({ id: 'job_5', taskId: null, project: null }),
        jobRecord({ id: 'job_6', project: 'shop', taskId: 'task-003' }),
        jobRecord({ id: 'job_7', status: 'cancelled' }),
      );
      const lists = await under.store.read(async ({ jobs }) => [
        await jobs.listOpenOfTask('task-001'),
        await jobs.listOfTask('task-001'),
        await jobs.listOpenOfProject('blog'),
      ]);
      assert.deepEqual(
        lists.map((list) => list.map((job) => job.id)),
        [
          ['job_2', 'job_3'],
          ['job_1', 'job_2', 'job_3', 'job_7'],
          ['job_2', 'job_3', 'job_4'],
        ],
      );
    });

    test('queued jobs are counted by kind', async () => {
      assert.deepEqual(await under.store.read((reader) => reader.jobs.countQueued()), {});
      await insert(
        jobRecord({ id: 'job_1' }),
        jobRecord({ id: 'job_2' }),
        jobRecord({ id: 'job_3', kind: 'code' }),
        jobRecord({ id: 'job_4', status: 'succeeded' }),
      );
      assert.deepEqual(await under.store.read((reader) => reader.jobs.countQueued()), { code: 1, test: 2 });
    });
  });

  describe('one release at a time', () => {
    const deploy = (changes: Partial<JobRecord>, environment = 'dev') =>
      jobRecord({ payload: deployPayload({ environment }), ...changes });

    test('an environment has at most one open release job', async () => {
      await insert(deploy({ id: 'job_1' }));
      await assert.rejects(insert(deploy({ id: 'job_2' })), DuplicateKeyError);
      await claim(['deploy']);
      await assert.rejects(insert(deploy({ id: 'job_2' })), DuplicateKeyError);
      await insert(deploy({ id: 'job_3' }, 'production'), jobRecord({ id: 'job_4' }));

      const job = await under.store.read((reader) => reader.jobs.get('job_1'));
      await under.store.transact((tx) => tx.jobs.save({ ...job!, status: 'failed', leaseExpiresAtMs: null }));
      await insert(deploy({ id: 'job_5' }));
    });

    test('a finished release job cannot be opened again beside another', async () => {
      await insert(deploy({ id: 'job_1', status: 'failed' }), deploy({ id: 'job_2' }));
      const first = await under.store.read((reader) => reader.jobs.get('job_1'));
      await assert.rejects(
        under.store.transact((tx) => tx.jobs.save({ ...first!, status: 'queued' })),
        DuplicateKeyError,
      );
    });

    test('an environment has at most one release on its way to the traffic', async () => {
      await under.store.transact(async (tx) => {
        await tx.releases.insert(releaseRecord({ id: 'rel_live', status: 'live' }));
        await tx.releases.insert(releaseRecord({ id: 'rel_1', status: 'smoking' }));
        await tx.releases.insert(releaseRecord({ id: 'rel_2', environment: 'production' }));
        await tx.releases.insert(releaseRecord({ id: 'rel_3', project: 'shop' }));
      });
      for (const status of ['queued', 'building', 'starting', 'smoking', 'baking'] as const) {
        await assert.rejects(
          under.store.transact((tx) => tx.releases.insert(releaseRecord({ id: 'rel_4', status }))),
          DuplicateKeyError,
        );
      }
      await under.store.transact(async (tx) => {
        const open = await tx.releases.get('rel_1');
        await tx.releases.save({ ...open!, status: 'refused' });
        await tx.releases.insert(releaseRecord({ id: 'rel_4' }));
      });
    });
  });
}
