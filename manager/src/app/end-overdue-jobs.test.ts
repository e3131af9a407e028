import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { Lease } from '@dbox/contracts';
import { ProblemError } from '@dbox/contracts';
import { LeaseRescue } from '../loops/rescue-loop.ts';
import type { Store } from '../ports/store.ts';
import { endOverdueJobs, endPoisonJobs } from './end-overdue-jobs.ts';
import { heartbeatJob } from './heartbeat-job.ts';
import { rescueExpiredLeases } from './rescue-expired-leases.ts';
import { SITE, specOf } from './testing/specs.ts';
import { World } from './testing/world.ts';

let world: World;
beforeEach(async () => {
  world = await World.open();
});
afterEach(() => world.close());

const MINUTE_MS = 60_000;
const beat = ({ job, lease }: Lease) => heartbeatJob(world.context, { jobId: job.id, fence: lease.fence });
const isGone = (error: unknown) => error instanceof ProblemError && error.code === 'lease_gone';

test('an agent that beats for ever loses the lease once no honest one would need longer', async () => {
  await world.submit(specOf('one', 'constraints: {max_minutes: 10}\n'), { project: 'p' });
  const lease = await world.lease('coding');
  await endOverdueJobs(world.context);
  world.nowMs += 24 * MINUTE_MS;
  assert.equal(await endOverdueJobs(world.context), 0);
  assert.equal((await beat(lease!)).order, 'continue');
  world.nowMs += MINUTE_MS;
  assert.equal(await endOverdueJobs(world.context), 1);
  await assert.rejects(beat(lease!), isGone);
  const events = await world.context.store.read((reader) => reader.events.list({ after: 0, limit: 1000 }));
  assert.match(
    String(events.find((event) => event.type === 'job.lease_lost')?.data.why),
    /more than 25 minutes/,
  );
  const again = await world.lease('coding');
  assert.ok(again?.payload.kind === 'code' && again.payload.attempt === 1);
});

test('what hangs again and again waits for a person, and frees its project', async () => {
  await world.submit(specOf('one'), { project: 'p' });
  await world.code(SITE);
  await world.test();
  for (let n = 0; n < 3; n++) {
    assert.ok(await world.lease('deployment'));
    await endOverdueJobs(world.context);
    world.nowMs += 60 * MINUTE_MS;
    await endOverdueJobs(world.context);
    await world.move();
  }
  assert.equal((await world.task('one')).status, 'blocked');
  assert.equal((await world.project('p')).work, null);
});

test('a job that kills whoever takes it is ended as a fault of the host after five leases', async () => {
  await world.submit(specOf('one'), { project: 'p' });
  for (let n = 1; n <= 5; n++) {
    const lease = await world.lease('coding');
    assert.equal(lease!.lease.fence, n);
    world.nowMs += 15_000;
    assert.equal(await endPoisonJobs(world.context), n === 5 ? 1 : 0);
    if (n < 5) assert.equal(await rescueExpiredLeases(world.context), 1);
  }
  const fresh = await world.lease('coding');
  assert.equal(fresh!.lease.fence, 1, 'repeated as a new job');
  assert.equal((await world.task('one')).attemptCount, 1);
});

test('a clock that is set back keeps no dead agent alive', async () => {
  await world.submit(specOf('one'), { project: 'p' });
  await world.lease('coding');
  world.nowMs -= 60 * MINUTE_MS;
  assert.equal(await rescueExpiredLeases(world.context), 1);
});

test('after its start, an outage or a jump of the clock the rescue waits for one full lease', async () => {
  await world.submit(specOf('one'), { project: 'p' });
  const lease = await world.lease('coding');
  const rescue = new LeaseRescue(world.context);
  const turn = async (ms: number) => {
    world.nowMs += ms;
    await rescue.tick();
  };
  await turn(60_000);
  assert.equal((await beat(lease!)).order, 'continue');
  for (let n = 0; n < 5; n++) await turn(2_000);
  // The machine slept: the lease expired, but the agent has had no chance to beat.
  await turn(60_000);
  assert.equal((await beat(lease!)).order, 'continue');
  for (let n = 0; n < 8; n++) await turn(2_000);
  await assert.rejects(beat(lease!), isGone);
});

test('an outage that is over before a lease would end is heard of all the same', async () => {
  await world.submit(specOf('one'), { project: 'p' });
  const lease = await world.lease('coding');
  const { context } = world;
  let out = false;
  const read: typeof context.store.read = (work) =>
    out ? Promise.reject(new ProblemError('store_unavailable', 'out of reach')) : context.store.read(work);
  const rescue = new LeaseRescue({ ...context, store: { ...storeOf(world), read } });
  const turn = async (ms: number) => {
    world.nowMs += ms;
    await rescue.tick();
  };
  // Quiet after the start, while the agent beats.
  for (let n = 0; n < 8; n++) {
    await turn(2_000);
    await beat(lease!);
  }
  for (let n = 0; n < 5; n++) await turn(2_000);
  out = true;
  await assert.rejects(turn(2_000), /out of reach/);
  out = false;
  // The lease has expired meanwhile, and nobody could have beaten.
  await turn(2_500);
  assert.equal((await beat(lease!)).order, 'continue');
  for (let n = 0; n < 8; n++) await turn(2_000);
  await assert.rejects(beat(lease!), isGone);
});

function storeOf({ context: { store } }: World): Store {
  return {
    transact: (work) => store.transact(work),
    read: (work) => store.read(work),
    onCommit: (listener) => store.onCommit(listener),
    snapshot: () => store.snapshot(),
    close: () => store.close(),
  };
}
