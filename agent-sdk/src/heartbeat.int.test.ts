import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { createClient } from '@dbox/contracts';
import { keepLease } from './heartbeat.ts';
import { LeaseGone } from './job-failure.ts';
import { createManualClock, makeTestPayload, startFakeManager } from './testing/fake-manager.ts';

const TIMING = {
  heartbeatIntervalMs: 3_000,
  heartbeatRetryMs: 500,
  leaseDurationMs: 15_000,
  leaseWaitMs: 1_000,
  abortGraceMs: 1_000,
};

/** A leased job whose time stands still until the test moves it. */
async function startLease(t: TestContext) {
  const manager = await startFakeManager();
  t.after(() => manager.stop());
  const job = manager.enqueue(makeTestPayload({ commit: '1'.repeat(40) }));
  const agent = createClient({ baseUrl: manager.url, token: manager.token });
  const { agentId } = (await agent.call('registerAgent', {
    body: { kind: 'testing', name: 'a', version: '1', capacity: 1, labels: [], warnings: [] },
  }))!;
  const lease = (await agent.call('leaseJob', { body: { agentId, kinds: ['test'], waitMs: 0 } }))!;
  const clock = createManualClock();
  const done = new AbortController();
  t.after(() => done.abort());
  const keeping = keepLease({
    client: agent.withToken(lease.lease.token),
    jobId: job.id,
    clock,
    timing: TIMING,
    signal: done.signal,
  });
  // Whoever waits for the end gets it; nobody has to.
  keeping.catch(() => undefined);
  return { manager, job, clock, keeping, done };
}

/** Moves time on to the next beat and lets it be answered. */
async function passOneBeat(clock: ReturnType<typeof createManualClock>, waitMs: number) {
  await clock.asleepFor(waitMs);
  clock.advance(waitMs);
}

test('a lease is extended every three seconds, for as long as the job runs', async (t) => {
  const { job, clock, keeping, done } = await startLease(t);
  for (let beat = 1; beat <= 10; beat += 1) await passOneBeat(clock, 3_000);
  await clock.asleepFor(3_000);
  assert.equal(job.beatCount, 10);
  done.abort();
  await keeping;
});

test('a beat that fails is tried again after half a second, and the lease goes on', async (t) => {
  const { manager, job, clock, keeping, done } = await startLease(t);
  manager.fail('heartbeatJob', { kind: 'drop_request' });
  manager.fail('heartbeatJob', { kind: 'problem', code: 'store_unavailable' });
  await passOneBeat(clock, 3_000);
  await passOneBeat(clock, 500);
  await passOneBeat(clock, 500);
  await passOneBeat(clock, 3_000);
  await clock.asleepFor(3_000);
  assert.equal(job.beatCount, 2);
  done.abort();
  await keeping;
});

test('a lease that no beat extended is gone one lease duration after the last one that did', async (t) => {
  const { manager, job, clock, keeping } = await startLease(t);
  await passOneBeat(clock, 3_000);
  await clock.asleepFor(3_000);
  manager.fail('heartbeatJob', { kind: 'drop_request' }, 1_000);
  await passOneBeat(clock, 3_000);
  // The last answered beat was sent at 3 s, so the end is at 18 s: 24 tries of half a second after 6 s.
  for (let tryCount = 1; tryCount <= 24; tryCount += 1) await passOneBeat(clock, 500);
  await assert.rejects(keeping, LeaseGone);
  assert.equal(clock.monotonicMs(), 18_000);
  assert.equal(job.beatCount, 1);
});

test('an answer that hangs does not use up the lease: the beat is tried again', async (t) => {
  const { manager, job, clock, keeping, done } = await startLease(t);
  manager.fail('heartbeatJob', { kind: 'hold', release: new Promise(() => undefined) });
  await passOneBeat(clock, 3_000);
  await manager.until(() => manager.calls.find(({ operation }) => operation === 'heartbeatJob'));
  // The beat's own limit, then the wait for the next try.
  await passOneBeat(clock, 2_500);
  await passOneBeat(clock, 500);
  await clock.asleepFor(3_000);
  assert.equal(job.beatCount, 2);
  done.abort();
  await keeping;
});

test('a lease given to another and a job that is cancelled are gone at the next beat', async (t) => {
  const lost = await startLease(t);
  lost.job.loseLease();
  await passOneBeat(lost.clock, 3_000);
  await assert.rejects(lost.keeping, /gave the lease to another/);
  const cancelled = await startLease(t);
  cancelled.job.cancel();
  await passOneBeat(cancelled.clock, 3_000);
  await assert.rejects(cancelled.keeping, /cancelled/);
});
