import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { ProblemError } from '@dbox/contracts';
import { addProject } from './add-project.ts';
import { cancelTask } from './cancel-task.ts';
import { TopologyDesk } from './follow-topology.ts';
import { removeProject } from './remove-project.ts';
import { retryStory, retryTask } from './retry-task.ts';
import { rollBack } from './roll-back.ts';
import { SITE, specOf } from './testing/specs.ts';
import { World } from './testing/world.ts';

let world: World;
beforeEach(async () => {
  world = await World.open();
});
afterEach(() => world.close());

const WITHOUT_ADDRESS = 'acceptance:\n  - url: /\n';
const rollBackTo = (releaseId?: string) =>
  rollBack(world.context, { project: 'p', environment: 'dev', releaseId, actor: 'operator', why: 'test' });

async function deliver(id: string, more = '') {
  await world.submit(specOf(id, more), { project: 'p' });
  await world.code({ ...SITE, [id]: '1' });
  await world.test();
  await world.deploy();
  return (await world.releases('p')).find((release) => release.taskId === id)!;
}

async function statusesOf(...ids: string[]) {
  const statuses = [];
  for (const id of ids) statuses.push((await world.task(id)).status);
  return statuses;
}

test('a broken dbox.yaml goes back with the place and the words of what is wrong, and is no library', async () => {
  await world.submit(specOf('one').replace(WITHOUT_ADDRESS, ''), { project: 'p' });
  await world.code({ 'dbox.yaml': 'ruin: x\n' });
  await world.test();
  const task = await world.task('one');
  assert.equal(task.status, 'assigned');
  assert.equal(task.attemptCount, 2);
  assert.match(task.evidenceReason!, /^dbox\.yaml:1:1: .*ruin/);
  assert.equal(task.attempts[0]!.verdict!.cause, 'commit');
});

test('a commit with nothing to run cannot move main away from what is live', async () => {
  const live = await deliver('one');
  await world.submit(specOf('two').replace(WITHOUT_ADDRESS, ''), { project: 'p' });
  const lease = await world.lease('coding');
  const commit = world.repositories.commit({ lib: '1' }, [live.commit]);
  await world.context.store.transact(async (tx) => {
    await tx.jobs.save({ ...(await tx.jobs.get(lease!.job.id))!, confirmedCommit: commit });
  });
  await world.finish(lease!, { kind: 'code', outcome: 'succeeded', engine: 'scripted', commit, summary: '' });
  await world.test();
  assert.match((await world.task('two')).evidenceReason!, /nothing to run any more/);
  assert.equal((await world.project('p')).mainCommit, live.commit);
});

test('going forward again brings back every task whose work the release holds', async () => {
  const one = await deliver('one');
  await deliver('two');
  const three = await deliver('three');
  await rollBackTo(one.id);
  await world.deploy();
  assert.deepEqual(await statusesOf('one', 'two', 'three'), ['deployed', 'rolled_back', 'rolled_back']);
  await rollBackTo(three.id);
  await world.deploy();
  assert.deepEqual(await statusesOf('one', 'two', 'three'), ['deployed', 'deployed', 'deployed']);
});

test('withdrawing the task that once made a release does not end the rollback to it', async () => {
  await deliver('one');
  const two = await deliver('two');
  await rollBackTo();
  await world.deploy();
  await retryTask(world.context, 'two', 'operator');
  await rollBackTo(two.id);
  await cancelTask(world.context, 'two', 'operator');
  await world.deploy();
  assert.equal((await world.releases('p')).find((one) => one.status === 'live')!.id, two.id);
  assert.equal((await world.project('p')).work, null);
});

test('a rollback that the host made fail may be asked for again', async () => {
  const one = await deliver('one');
  await deliver('two');
  await rollBackTo();
  await world.deploy('host fails');
  assert.equal((await world.project('p')).work, null);
  await rollBackTo(one.id);
  await world.deploy();
  assert.equal((await world.releases('p')).find((release) => release.status === 'live')!.id, one.id);
});

test('of two rollbacks at once one is begun and the other is refused', async () => {
  await deliver('one');
  await deliver('two');
  const asked = await Promise.allSettled([rollBackTo(), rollBackTo()]);
  assert.deepEqual(asked.map((one) => one.status).sort(), ['fulfilled', 'rejected']);
  await world.deploy();
  assert.equal((await world.project('p')).work, null);
});

test('a task that waited for one that was rolled back is blocked, and its story does not look as if it moved', async () => {
  await deliver('one');
  const yaml = `${specOf('two')}---\n${specOf('three', 'depends_on: [two]\n')}---\n${specOf('four', 'depends_on: [three]\n')}`;
  const storyId = await world.submit(yaml, { project: 'p' });
  await world.code({ two: '1' });
  await world.test();
  await world.deploy();
  const lease = await world.lease('coding');
  await rollBackTo();
  await world.deploy();
  await cancelTask(world.context, lease!.job.taskId!, 'operator');
  await world.move();
  assert.deepEqual(await statusesOf('two', 'three', 'four'), ['rolled_back', 'cancelled', 'blocked']);
  assert.equal((await world.story(storyId)).status, 'blocked');
});

test('what waits for a blocked task is blocked too, in its own story and in others, and revives with it', async () => {
  const storyId = await world.submit(`${specOf('one')}---\n${specOf('two', 'depends_on: [one]\n')}`, {
    project: 'p',
  });
  const otherId = await world.submit(specOf('three', 'depends_on: [two]\n'), { project: 'p' });
  await world.code(SITE);
  for (let n = 0; n < 3; n++)
    await world.test({ outcome: 'could_not_run', cause: 'host', detail: 'no pytest' });
  assert.deepEqual(await statusesOf('one', 'two', 'three'), ['blocked', 'blocked', 'blocked']);
  assert.equal((await world.story(storyId)).status, 'blocked');
  assert.equal((await world.story(otherId)).status, 'blocked');
  await retryStory(world.context, storyId, 'operator');
  await world.move();
  assert.deepEqual(await statusesOf('two', 'three'), ['created', 'created']);
  assert.equal((await world.story(otherId)).status, 'running');
  assert.equal((await world.story(otherId)).reason, null);
});

test('a coder that the host kept from working repeats the same attempt when a person retries', async () => {
  await world.submit(specOf('one'), { project: 'p' });
  for (let n = 0; n < 3; n++) {
    const lease = await world.lease('coding');
    await world.finish(lease!, {
      kind: 'code',
      outcome: 'failed',
      engine: 'scripted',
      cause: 'host',
      detail: 'no disk',
    });
  }
  assert.deepEqual(await statusesOf('one'), ['blocked']);
  await retryTask(world.context, 'one', 'operator');
  const lease = await world.lease('coding');
  assert.ok(lease?.payload.kind === 'code' && lease.payload.attempt === 1);
});

test('a release that is reported as good with a red or a missing check gets no traffic', async () => {
  const live = await deliver('one');
  await world.submit(specOf('two'), { project: 'p' });
  await world.code({ two: '1' });
  await world.test();
  const target = { kind: 'tcp', host: '127.0.0.1', port: 1 } as const;
  const lease = await world.lease('deployment');
  await world.finish(lease!, { kind: 'deploy', outcome: 'succeeded', target, image: null, checks: [] });
  const again = await world.lease('deployment');
  assert.ok(again?.payload.kind === 'deploy', 'what was left out is asked for again');
  const checks = again.payload.checks.map(
    ({ id }) => ({ id, outcome: 'failed', detail: '500', latencyMs: 1 }) as const,
  );
  await world.finish(again, { kind: 'deploy', outcome: 'succeeded', target, image: null, checks });
  assert.deepEqual(await statusesOf('two'), ['assigned']);
  assert.equal((await world.releases('p')).find((one) => one.status === 'live')!.id, live.id);
});

test('a tester that leaves out what it was asked for has proved nothing', async () => {
  await world.submit(specOf('one'), { project: 'p' });
  await world.code(SITE);
  const lease = await world.lease('testing');
  await world.finish(lease!, {
    kind: 'test',
    outcome: 'succeeded',
    tests: [],
    checks: [],
    changedTestFiles: [],
  });
  assert.deepEqual(await statusesOf('one'), ['complete']);
  await world.test();
  assert.deepEqual(await statusesOf('one'), ['verified']);
});

test('a removed project has nothing that moves, and nothing of it can be tried again', async () => {
  await deliver('one');
  const storyId = await world.submit(`${specOf('two')}---\n${specOf('three')}`, { project: 'p' });
  const lease = await world.lease('coding');
  await removeProject(world.context, 'p', 'operator');
  assert.equal((await world.story(storyId)).status, 'cancelled');
  await assert.rejects(
    world.finish(lease!, { kind: 'code', outcome: 'failed', engine: 'scripted', cause: 'host', detail: '' }),
    (error) => error instanceof ProblemError && error.code === 'lease_gone',
  );
  await assert.rejects(
    world.submit(specOf('four'), { project: 'p' }),
    (error) => error instanceof ProblemError && /was removed/.test(error.message),
  );
  for (const id of ['one', 'two']) {
    await assert.rejects(retryTask(world.context, id, 'operator'), ProblemError);
  }
});

test('a project is not removed in the moment of a switch, and nothing of it is withdrawn then', async () => {
  await world.submit(`${specOf('one')}---\n${specOf('two')}`, { project: 'p' });
  await world.code(SITE);
  await world.test();
  const lease = await world.lease('deployment');
  assert.ok(lease?.payload.kind === 'deploy');
  const checks = lease.payload.checks.map(
    ({ id }) => ({ id, outcome: 'passed', detail: '', latencyMs: 1 }) as const,
  );
  const target = { kind: 'tcp', host: '127.0.0.1', port: 1 } as const;
  await world.finish(lease, { kind: 'deploy', outcome: 'succeeded', target, image: null, checks });
  await assert.rejects(
    removeProject(world.context, 'p', 'operator'),
    (error) => error instanceof ProblemError && error.code === 'project_busy',
  );
  assert.deepEqual(await statusesOf('two'), ['assigned']);
});

test('two stories that would have the same name get a project each', async () => {
  const told = await Promise.all([world.tell('a blog'), world.tell('a blog')]);
  assert.deepEqual(told.map((story) => story.project).sort(), ['site', 'site-2']);
});

test('a project too many is told so before anything of it is made, and a removed one gives its port on', async () => {
  const settings = { ...world.context.settings, gatewayPortCount: 1 };
  const context = { ...world.context, settings };
  await addProject(context, { name: 'first', bundle: null, actor: 'operator' });
  const second = () => addProject(context, { name: 'second', bundle: null, actor: 'operator' });
  await assert.rejects(
    second(),
    (error) =>
      error instanceof ProblemError &&
      error.code === 'conflict' &&
      /1 ports for sites.*DBOX_GATEWAY_PORT_COUNT/.test(error.message),
  );
  const projects = await context.store.read((reader) => reader.projects.list());
  assert.deepEqual(
    projects.map((one) => one.name),
    ['first'],
  );
  await removeProject(context, 'first', 'operator');
  await second();
  const { port } = (await context.store.read((reader) =>
    reader.environments.get({ project: 'second', name: 'dev' }),
  ))!;
  assert.equal(port, settings.firstGatewayPort);
  const desk = new TopologyDesk(context);
  const topology = await desk.follow(-1, 0, new AbortController().signal);
  desk.stop();
  assert.deepEqual(
    topology?.routes.map((one) => one.project),
    ['second'],
  );
});
