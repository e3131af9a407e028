import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { ProblemError, type TrafficStats } from '@dbox/contracts';
import { TopologyDesk } from './follow-topology.ts';
import { observeRelease } from './observe-release.ts';
import { reportTraffic } from './report-traffic.ts';
import { SITE, specOf } from './testing/specs.ts';
import { World } from './testing/world.ts';
import { getStatus } from './views.ts';

let world: World;
beforeEach(async () => {
  world = await World.open();
});
afterEach(() => world.close());

const BOX = { version: '', mode: 'process', pid: 1, workspace: '', url: '' } as const;
const WELL = { '2xx': 900 };
const HALF_BAD = { '2xx': 30, '5xx': 20, error: 10 };

async function deliver(id: string) {
  await world.submit(specOf(id), { project: 'p' });
  await world.code({ ...SITE, [id]: '1' });
  await world.test();
  await world.deploy();
  return (await world.releases('p')).find((release) => release.taskId === id)!;
}

async function report(
  releaseId: string,
  statuses: Record<string, number>,
  more: Partial<TrafficStats> & { startedAt?: string } = {},
): Promise<void> {
  const { startedAt = 'life 1', ...stats } = more;
  await reportTraffic(world.context, {
    startedAt,
    releases: [
      {
        releaseId,
        statuses,
        servingForMs: 300,
        openCount: 0,
        latencyBuckets: [],
        latencySumMs: 0,
        ...stats,
      },
    ],
  });
}

const liveId = async () =>
  (await world.context.store.read((reader) => reader.environments.get({ project: 'p', name: 'dev' })))!
    .liveReleaseId;
const incidents = () =>
  world.context.store.read((reader) => reader.incidents.list({ project: 'p', limit: 10 }));
const statusOf = async (id: string) =>
  (await world.context.store.read((reader) => reader.releases.get(id)))!.status;
async function statesOf(): Promise<Record<string, string>> {
  const desk = new TopologyDesk(world.context);
  const topology = await desk.follow(-1, 0, new AbortController().signal);
  desk.stop();
  return Object.fromEntries(topology!.releases.map(({ releaseId, state }) => [releaseId, state]));
}

test('a release whose first visitors fail loses the traffic in the very step that sees it', async () => {
  const one = await deliver('one');
  await report(one.id, WELL, { servingForMs: null });
  const two = await deliver('two');
  await report(two.id, HALF_BAD);
  const environment = await world.context.store.read((reader) =>
    reader.environments.get({ project: 'p', name: 'dev' }),
  );
  assert.equal(environment!.routedReleaseId, one.id, 'no job, no start: the route goes back at once');
  assert.equal(environment!.liveReleaseId, two.id, 'it is live on acknowledgement, as always');
  await world.ack();
  assert.equal(await liveId(), one.id);
  assert.equal(await statusOf(two.id), 'rolled_back');
  assert.equal((await world.task('two')).status, 'rolled_back');
  const main = (await world.project('p')).mainCommit!;
  assert.deepEqual(world.repositories.filesOf(main), world.repositories.filesOf(one.commit));
  const [incident] = await incidents();
  assert.equal(incident!.releaseId, two.id);
  assert.match(incident!.detail, /^30 of 60 requests .* first 0\.3 s; of the release before it 0 of 900$/);
  assert.deepEqual(
    incident!.actions.map((one) => one.action),
    ['rollback'],
  );
  assert.deepEqual(await statesOf(), { [one.id]: 'live', [two.id]: 'kept' }, 'kept, and not running');
});

test('a kill between the decision and the acknowledgement leaves the rollback to be finished', async () => {
  const one = await deliver('one');
  const two = await deliver('two');
  await report(two.id, HALF_BAD);
  await world.reopen();
  await world.ack();
  assert.equal(await liveId(), one.id);
  assert.equal((await world.project('p')).work, null);
});

test('after a restart of the manager or the gateway nothing is new', async () => {
  await deliver('one');
  const two = await deliver('two');
  await report(two.id, HALF_BAD, { servingForMs: null });
  await report(two.id, HALF_BAD, { servingForMs: 30_001 });
  world.nowMs += 60_000;
  await report(two.id, HALF_BAD);
  world.nowMs -= 60_000;
  await world.reopen();
  await report(two.id, HALF_BAD);
  assert.equal((await world.project('p')).work, null);
  assert.deepEqual(await incidents(), []);
});

test('where visitors failed before as well, or too few have failed, nothing happens', async () => {
  const one = await deliver('one');
  await report(one.id, { '2xx': 450, '5xx': 450 });
  const two = await deliver('two');
  await report(two.id, HALF_BAD);
  await report(two.id, { '5xx': 4 });
  assert.equal((await world.project('p')).work, null);
});

test('a first release has nothing to go back to: its incident stays open, whatever its checks say', async () => {
  const one = await deliver('one');
  await report(one.id, HALF_BAD);
  await report(one.id, { ...HALF_BAD, '5xx': 90 });
  for (let round = 0; round < 4; round++) await world.watch('p', true);
  const all = await incidents();
  assert.deepEqual(
    all.map(({ status, detail }) => [status, /no release served before it/.test(detail)]),
    [['open', true]],
  );
  assert.equal(await liveId(), one.id);
  const { projects } = await getStatus(world.context, BOX);
  assert.equal(projects[0]!.environments[0]!.incident!.id, all[0]!.id, 'and the status names it');
  await deliver('two');
  for (let round = 0; round < 4; round++) await world.watch('p', true);
  assert.equal((await incidents())[0]!.status, 'resolved', 'the next release that does well ends it');
});

test('what was given back to is not judged again: going back and forth helps nobody', async () => {
  const one = await deliver('one');
  const two = await deliver('two');
  const three = await deliver('three');
  await report(three.id, HALF_BAD);
  await world.ack();
  assert.equal(await liveId(), two.id);
  await report(two.id, HALF_BAD);
  await world.ack();
  assert.equal(await liveId(), two.id);
  assert.equal(await statusOf(one.id), 'superseded');
});

test('a candidate that was made for the bad main steps back, and comes in after the rollback', async () => {
  const one = await deliver('one');
  const two = await deliver('two');
  await world.submit(specOf('three'), { project: 'p' });
  await world.code({ ...SITE, three: '1' });
  await world.test();
  const lease = (await world.lease('deployment'))!;
  await report(two.id, HALF_BAD);
  await assert.rejects(
    world.finish(lease, {
      kind: 'deploy',
      outcome: 'failed',
      cause: 'host',
      phase: 'smoking',
      detail: '',
      checks: [],
      outputTail: '',
    }),
    /lease/,
  );
  await world.ack();
  assert.equal(await liveId(), one.id);
  await world.test();
  await world.deploy();
  const three = await world.task('three');
  assert.equal(three.status, 'deployed');
  const files = world.repositories.filesOf((await world.project('p')).mainCommit!);
  assert.deepEqual(
    Object.keys(files)
      .filter((name) => ['one', 'two', 'three'].includes(name))
      .sort(),
    ['one', 'three'],
  );
});

test('a former release that has ended meanwhile is started and smoked before it gets the traffic', async () => {
  const one = await deliver('one');
  const two = await deliver('two');
  await observeRelease(world.context, one.id, { type: 'stopped', releaseId: one.id }, 'agent');
  await report(two.id, HALF_BAD);
  assert.equal(await statusOf(one.id), 'queued');
  await world.deploy();
  assert.equal(await liveId(), one.id);
});

test('a release that lost the traffic runs on as long as somebody is connected to it', async () => {
  const one = await deliver('one');
  await report(one.id, WELL, { openCount: 1 });
  const two = await deliver('two');
  const three = await deliver('three');
  assert.deepEqual(await statesOf(), { [one.id]: 'warm', [two.id]: 'warm', [three.id]: 'live' });
  const before = await world.context.store.read((reader) => reader.topology.revision());
  await report(one.id, WELL, { openCount: 0 });
  assert.deepEqual(await statesOf(), { [one.id]: 'kept', [two.id]: 'warm', [three.id]: 'live' });
  const after = await world.context.store.read((reader) => reader.topology.revision());
  assert.ok(after > before, 'and whoever follows the topology is told');
});

test('a release whose last visitor left while the store was out is let go of at the next report', async () => {
  const one = await deliver('one');
  await report(one.id, WELL, { openCount: 1 });
  await deliver('two');
  await deliver('three');
  const { store } = world.context;
  const before = await store.read((reader) => reader.topology.revision());
  const out = new ProblemError('store_unavailable', 'out of reach');
  world.context = { ...world.context, store: { ...store, read: () => Promise.reject(out) } as never };
  await assert.rejects(report(one.id, WELL), out);
  world.context = { ...world.context, store };
  await report(one.id, WELL);
  assert.ok((await store.read((reader) => reader.topology.revision())) > before);
});

test("a new life of the gateway has none of the old one's connections", async () => {
  const one = await deliver('one');
  await report(one.id, WELL, { openCount: 1 });
  const two = await deliver('two');
  await deliver('three');
  await report(two.id, WELL, { startedAt: 'life 2' });
  assert.equal((await statesOf())[one.id], 'kept');
});

test('a switch that a restart broke off is not judged: what takes the traffic may still be starting', async () => {
  const first = await deliver('one');
  await world.submit(specOf('two'), { project: 'p' });
  await world.code({ ...SITE, two: '1' });
  await world.test();
  const lease = await world.lease('deployment');
  assert.ok(lease?.payload.kind === 'deploy');
  const checks = lease.payload.checks.map(
    ({ id }) => ({ id, outcome: 'passed', detail: '', latencyMs: 1 }) as const,
  );
  const target = { kind: 'tcp', host: '127.0.0.1', port: 1 } as const;
  await world.finish(lease, { kind: 'deploy', outcome: 'succeeded', target, image: null, checks });
  await world.reopen();
  await world.ack();
  const second = await liveId();
  assert.notEqual(second, first.id);
  await report(second!, { error: 5 });
  assert.equal(await liveId(), second);
  assert.equal((await world.project('p')).work, null);
});
