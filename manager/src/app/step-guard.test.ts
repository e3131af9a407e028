import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { takeStep } from './step-guard.ts';
import { specOf } from './testing/specs.ts';
import { World } from './testing/world.ts';

let world: World;
beforeEach(async () => {
  world = await World.open();
});
afterEach(() => world.close());

const broken = () => Promise.reject(new Error('git broke'));

test('a step that throws counts as none, and is left alone for a while', async () => {
  let calls = 0;
  const take = () =>
    takeStep(world.context, { subject: 's', doing: 'stepping' }, () => {
      calls += 1;
      return broken();
    });
  assert.equal(await take(), 0);
  assert.equal(await take(), 0);
  assert.equal(calls, 1);
  world.nowMs += 5_000;
  await take();
  assert.equal(calls, 2);
});

test('a clock that is set back makes nobody wait for it', async () => {
  const take = (step: () => Promise<number>) =>
    takeStep(world.context, { subject: 's', doing: 'stepping' }, step);
  await take(broken);
  world.nowMs -= 60 * 60_000;
  assert.equal(await take(async () => 1), 1);
});

test('a success forgets former failures', async () => {
  const given: string[] = [];
  const guard = {
    subject: 's',
    doing: 'stepping',
    giveUp: async (reason: string) => void given.push(reason),
  };
  for (const step of [broken, broken, async () => 1, broken, broken]) {
    await takeStep(world.context, guard, step);
    world.nowMs += 20_000;
  }
  assert.deepEqual(given, []);
  await takeStep(world.context, guard, broken);
  assert.deepEqual(given, ['stepping failed 3 times, the last time with: git broke']);
});

test('a planner that breaks for one story keeps no other from moving, and the story fails in the end', async () => {
  const storyId = (await world.tell('something', 'p')).id;
  world.context.planner.plan = broken;
  await world.move();
  await world.submit(specOf('other'), { project: 'q' });
  assert.equal((await world.task('other')).status, 'assigned');
  assert.equal((await world.story(storyId)).status, 'planning');
  for (let n = 0; n < 3; n++) {
    world.nowMs += 20_000;
    await world.move();
  }
  const story = await world.story(storyId);
  assert.equal(story.status, 'failed');
  assert.match(story.reason!, /git broke; `dbox retry/);
});

test('a story of which the planner makes nothing fails with what to do', async () => {
  const { id } = await world.tell('something', 'p');
  await world.move();
  assert.equal((await world.story(id)).status, 'failed');
  assert.match((await world.story(id)).reason!, /say more/);
});

test('git that fails for one project keeps no other from its release, and the task waits for a person', async () => {
  await world.submit(specOf('one'), { project: 'p' });
  await world.submit(specOf('two'), { project: 'q' });
  const { repositories } = world;
  const isAncestor = repositories.isAncestor.bind(repositories);
  repositories.isAncestor = async (given) => {
    if ((given as { project?: string }).project === 'p') throw new Error('git broke');
    return isAncestor(given);
  };
  await world.code({ 'index.html': '1' });
  await world.code({ 'index.html': '1' });
  await world.test();
  await world.test();
  assert.equal((await world.task('two')).integration, 'releasing');
  assert.equal((await world.task('one')).integration, 'waiting');
  for (let n = 0; n < 3; n++) {
    world.nowMs += 20_000;
    await world.move();
  }
  const task = await world.task('one');
  assert.equal(task.status, 'blocked');
  assert.match(task.reason!, /git broke/);
  assert.equal((await world.story(task.storyId)).status, 'blocked');
});
