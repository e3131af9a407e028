import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { TopologyDesk } from './follow-topology.ts';
import { SITE, specOf } from './testing/specs.ts';
import { World } from './testing/world.ts';

let world: World;
let desk: TopologyDesk;
beforeEach(async () => {
  world = await World.open();
  desk = new TopologyDesk(world.context);
});
afterEach(async () => {
  desk.stop();
  await world.close();
});

const never = () => new AbortController().signal;
const bump = () => world.context.store.transact((tx) => tx.topology.bump());

async function deliver(id: string) {
  await world.submit(specOf(id), { project: 'p' });
  await world.code({ ...SITE, [id]: '1' });
  await world.test();
  await world.deploy();
}

test('a follower gets what is newer than it has, and waits for what is not', async () => {
  await bump();
  const first = await desk.follow(0, 1000, never());
  const waiting = desk.follow(first!.revision, 1000, never());
  await bump();
  assert.equal((await waiting)!.revision, first!.revision + 1);
  assert.equal(await desk.follow(99, 0, never()), null);
});

test('a revision that comes while a follower is still reading is not missed', async () => {
  await bump();
  const seen = (await desk.follow(0, 1000, never()))!.revision;
  // The clock of this world fires no timer: a missed wake-up would wait for ever.
  const read = world.context.store.read.bind(world.context.store);
  world.context.store.read = async (work) => {
    const answer = await read(work);
    world.context.store.read = read;
    await bump();
    return answer;
  };
  desk.stop();
  desk = new TopologyDesk(world.context);
  assert.equal((await desk.follow(seen, 1000, never()))!.revision, seen + 1);
});

test('a caller that leaves ends its wait', async () => {
  const gone = new AbortController();
  const waiting = desk.follow(99, 1000, gone.signal);
  await new Promise((resolve) => setImmediate(resolve));
  gone.abort();
  assert.equal(await waiting, null);
});

test('the live release runs and is watched, the one before it stays warm, older ones keep their files', async () => {
  for (const id of ['one', 'two', 'three']) await deliver(id);
  const topology = (await desk.follow(0, 0, never()))!;
  const states = new Map(topology.releases.map((one) => [one.releaseId, one.state]));
  const releases = await world.releases('p');
  const stateOf = (taskId: string) => states.get(releases.find((one) => one.taskId === taskId)!.id);
  assert.deepEqual(['one', 'two', 'three'].map(stateOf), ['kept', 'warm', 'live']);
  const live = releases.find((one) => one.taskId === 'three')!;
  assert.equal(topology.routes[0]!.releaseId, live.id);
  assert.deepEqual(topology.routes[0]!.target, live.target);
  assert.equal(topology.watches[0]!.releaseId, live.id);
  assert.equal(topology.watches[0]!.checks.length, 1);
});
