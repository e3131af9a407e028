import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { ProblemError } from '@dbox/contracts';
import { cancelTask } from './cancel-task.ts';
import { rescueExpiredLeases } from './rescue-expired-leases.ts';
import { retryTask } from './retry-task.ts';
import { rollBack } from './roll-back.ts';
import { submitStory } from './submit-story.ts';
import { World } from './testing/world.ts';

let world: World;
beforeEach(async () => {
  world = await World.open();
});
afterEach(() => world.close());

const SITE = { 'index.html': 'hello', 'dbox.yaml': 'static: .\n' };

function spec(id: string, more = ''): string {
  return `id: ${id}\ntitle: Task ${id}\ninputs:\n  - type: scripted\n    attempts:\n      - a1\n      - a2\n      - a3\ntests:\n  - run: npm test\nacceptance:\n  - url: /\n${more}`;
}

const rollBackDev = (releaseId?: string) =>
  rollBack(world.context, { project: 'p', environment: 'dev', releaseId, actor: 'operator', why: 'test' });

test('a story goes from submission to delivered, and main becomes what is live', async () => {
  const storyId = await world.submit(spec('one'), { project: 'p' });
  const commit = await world.code(SITE);
  await world.test();
  await world.deploy();
  assert.equal((await world.story(storyId)).status, 'delivered');
  assert.equal((await world.task('one')).status, 'deployed');
  assert.equal((await world.project('p')).mainCommit, commit);
  const verdict = (await world.task('one')).attempts[0]!.verdict!;
  assert.equal(verdict.outcome, 'passed');
  assert.equal(verdict.checks.length, 1, 'the smoke test of the release is part of the verdict');
});

test('a failed verdict makes attempt two from the first try, with the evidence, and both verdicts are kept', async () => {
  await world.submit(spec('one'), { project: 'p' });
  const first = await world.code(SITE);
  await world.test({ outcome: 'failed', exitCode: 1, detail: 'exit 1: 2 tests failed' });
  const lease = await world.lease('coding');
  assert.equal(lease!.payload.kind, 'code');
  if (lease!.payload.kind !== 'code') return;
  assert.equal(lease!.payload.attempt, 2);
  assert.equal(lease!.payload.startCommit, first);
  assert.match(lease!.payload.evidence!.reason, /2 tests failed/);
  await world.code({ 'fix.js': '1' }, lease!);
  await world.test();
  await world.deploy();
  const outcomes = (await world.task('one')).attempts.map((attempt) => attempt.verdict?.outcome);
  assert.deepEqual(outcomes, ['failed', 'passed']);
});

test('a task whose attempts run out fails, and so does its story, with the last reason', async () => {
  const storyId = await world.submit(spec('one', 'constraints: {max_attempts: 2}\n'), { project: 'p' });
  await world.code(SITE);
  await world.test({ outcome: 'failed', detail: 'exit 1' });
  await world.code({ b: '2' });
  await world.test({ outcome: 'failed', detail: 'exit 1 again' });
  assert.equal((await world.task('one')).status, 'failed');
  assert.equal((await world.story(storyId)).status, 'failed');
  assert.match((await world.story(storyId)).reason!, /exit 1 again/);
});

test('tests that end green without a count never pass by themselves', async () => {
  await world.submit(spec('one').replace('acceptance:\n  - url: /\n', ''), { project: 'p' });
  await world.code(SITE);
  await world.test({ counts: null, detail: 'exit 0; the runner printed no counts' });
  const task = await world.task('one');
  assert.equal(task.attempts[0]!.verdict!.outcome, 'could_not_run');
  assert.equal(task.attemptCount, 2);
});

test('what the host could not run is repeated three times, uses no attempt, and then waits for a person', async () => {
  const storyId = await world.submit(spec('one'), { project: 'p' });
  await world.code(SITE);
  for (let n = 1; n <= 3; n++)
    await world.test({ outcome: 'could_not_run', cause: 'host', detail: 'no pytest' });
  const task = await world.task('one');
  assert.equal(task.status, 'blocked');
  assert.equal(task.attemptCount, 1);
  assert.equal((await world.story(storyId)).status, 'blocked');
  await retryTask(world.context, 'one', 'operator');
  await world.move();
  await world.test();
  await world.deploy();
  assert.equal((await world.story(storyId)).status, 'delivered');
});

test('two attempts without a conflict are both delivered, the second as a merge that was tested again', async () => {
  await world.submit(`${spec('one')}---\n${spec('two')}`, { project: 'p' });
  const [one, two] = [await world.lease('coding'), await world.lease('coding')];
  await world.code({ ...SITE, a: '1' }, one!);
  await world.code({ ...SITE, b: '2' }, two!);
  await world.test();
  await world.test();
  await world.deploy();
  await world.test();
  await world.deploy();
  const main = (await world.project('p')).mainCommit!;
  assert.deepEqual(world.repositories.filesOf(main), { ...SITE, a: '1', b: '2' });
  assert.equal((await world.task('two')).attemptCount, 1);
});

test('an attempt that conflicts with the new main is reworked from it, and both are delivered', async () => {
  await world.submit(`${spec('one')}---\n${spec('two')}`, { project: 'p' });
  const [one, two] = [await world.lease('coding'), await world.lease('coding')];
  await world.code({ ...SITE, a: '1' }, one!);
  await world.code({ ...SITE, a: '2' }, two!);
  await world.test();
  await world.test();
  await world.deploy();
  const again = await world.lease('coding');
  assert.ok(again?.payload.kind === 'code' && /conflicts.*: a$/.test(again.payload.evidence!.reason));
  await world.code({ a: '12' }, again);
  await world.test();
  await world.deploy();
  assert.equal(world.repositories.filesOf((await world.project('p')).mainCommit!).a, '12');
});

test('a failed smoke test refuses the release, leaves the old one live, and the task learns why', async () => {
  await world.submit(spec('one'), { project: 'p' });
  await world.code(SITE);
  await world.test();
  await world.deploy();
  const live = (await world.releases('p'))[0]!;
  await world.submit(spec('two'), { project: 'p' });
  await world.code({ b: '1' });
  await world.test();
  await world.deploy('smoke fails');
  const releases = await world.releases('p');
  assert.deepEqual(releases.map((release) => release.status).sort(), ['live', 'refused']);
  assert.equal(releases.find((release) => release.status === 'live')!.id, live.id);
  const task = await world.task('two');
  assert.equal(task.status, 'assigned');
  assert.equal(task.attempts[0]!.verdict!.outcome, 'failed');
});

test('a rollback gives the traffic, main and the checks of that time back', async () => {
  await world.submit(spec('one'), { project: 'p' });
  await world.code(SITE);
  await world.test();
  await world.deploy();
  const first = (await world.releases('p'))[0]!;
  await world.submit(spec('two', '  - url: /about\n'), { project: 'p' });
  await world.code({ about: '1' });
  await world.test();
  await world.deploy();
  await rollBackDev();
  await world.deploy();
  const releases = await world.releases('p');
  assert.equal(releases.find((release) => release.status === 'live')!.id, first.id);
  assert.deepEqual(releases.map((release) => release.status).sort(), ['live', 'rolled_back']);
  assert.deepEqual(world.repositories.filesOf((await world.project('p')).mainCommit!), SITE);
  assert.equal((await world.task('two')).status, 'rolled_back');
  const checks = await world.context.store.read((reader) => reader.checks.listOfProject('p'));
  assert.deepEqual(
    checks.filter((check) => check.status === 'live').map((check) => check.taskId),
    ['one'],
  );
});

test('a rollback is refused while a release is under way, or where nothing earlier is kept', async () => {
  await world.submit(spec('one'), { project: 'p' });
  await world.code(SITE);
  await world.test();
  await world.deploy();
  await assert.rejects(rollBackDev(), (error) => error instanceof ProblemError && error.code === 'conflict');
  await world.submit(spec('two'), { project: 'p' });
  await world.code({ b: '1' });
  await world.test();
  await assert.rejects(
    rollBackDev(),
    (error) => error instanceof ProblemError && error.code === 'project_busy',
  );
});

test('an expired lease repeats the same attempt under a new fence, and the stale result changes nothing', async () => {
  await world.submit(spec('one'), { project: 'p' });
  const stale = await world.lease('coding');
  world.nowMs += 15_000;
  assert.equal(await rescueExpiredLeases(world.context), 1);
  const fresh = await world.lease('coding');
  assert.ok(fresh?.payload.kind === 'code' && fresh.payload.attempt === 1);
  assert.equal(fresh.lease.fence, stale!.lease.fence + 1);
  const before = await world.eventTypes();
  await assert.rejects(
    world.finish(stale!, {
      kind: 'code',
      outcome: 'failed',
      engine: 'scripted',
      cause: 'commit',
      detail: 'late',
    }),
    (error) => error instanceof ProblemError && error.code === 'lease_gone',
  );
  assert.deepEqual(await world.eventTypes(), before);
});

test('a result that is sent twice is answered alike and counted once', async () => {
  await world.submit(spec('one'), { project: 'p' });
  const lease = await world.lease('coding');
  const failed = {
    kind: 'code',
    outcome: 'failed',
    engine: 'scripted',
    cause: 'commit',
    detail: 'no',
  } as const;
  await world.finish(lease!, failed);
  await world.finish(lease!, failed);
  assert.equal((await world.task('one')).attemptCount, 2);
});

test('a coder that says done without a confirmed commit is refused', async () => {
  await world.submit(spec('one'), { project: 'p' });
  const lease = await world.lease('coding');
  await assert.rejects(
    world.finish(lease!, {
      kind: 'code',
      outcome: 'succeeded',
      engine: 'scripted',
      commit: 'a'.repeat(40),
      summary: '',
    }),
    (error) => error instanceof ProblemError && error.code === 'conflict',
  );
});

test('dependents wait until main holds what they need, and block when it fails', async () => {
  const yaml = `${spec('one', 'constraints: {max_attempts: 1}\n')}---\n${spec('two', 'depends_on: [one]\n')}`;
  const storyId = await world.submit(yaml, { project: 'p' });
  const lease = await world.lease('coding');
  assert.equal(await world.lease('coding'), null);
  await world.code(SITE, lease!);
  await world.test({ outcome: 'failed', detail: 'exit 1' });
  assert.equal((await world.task('two')).status, 'blocked');
  assert.match((await world.task('two')).reason!, /dependency_failed/);
  assert.equal((await world.story(storyId)).status, 'failed');
  await retryTask(world.context, 'one', 'operator');
  await world.move();
  assert.equal((await world.task('two')).status, 'created');
  assert.equal((await world.story(storyId)).status, 'running');
});

test('a project with nothing to run is delivered at verified, without a release', async () => {
  const storyId = await world.submit(spec('lib').replace('acceptance:\n  - url: /\n', ''), { project: 'p' });
  await world.code({ 'lib.js': '1' });
  await world.test();
  assert.equal((await world.task('lib')).status, 'verified');
  assert.equal((await world.story(storyId)).status, 'delivered');
  assert.deepEqual(await world.releases('p'), []);
});

test('a cancelled task stops its job and may not be cancelled once it is live', async () => {
  await world.submit(spec('one'), { project: 'p' });
  const lease = await world.lease('coding');
  await cancelTask(world.context, 'one', 'operator');
  await assert.rejects(
    world.finish(lease!, {
      kind: 'code',
      outcome: 'failed',
      engine: 'scripted',
      cause: 'commit',
      detail: 'x',
    }),
    (error) => error instanceof ProblemError && error.code === 'lease_gone',
  );
  await world.submit(spec('two'), { project: 'p' });
  await world.code(SITE);
  await world.test();
  await world.deploy();
  await assert.rejects(
    cancelTask(world.context, 'two', 'operator'),
    (error) =>
      error instanceof ProblemError && error.code === 'already_released' && /rollback/.test(error.message),
  );
});

test('the same finished specs again are a new story with suffixed ids; a running one is a clash', async () => {
  await world.submit(spec('one'), { project: 'p' });
  await assert.rejects(
    world.submit(spec('one'), { project: 'q' }),
    (error) => error instanceof ProblemError && error.code === 'task_id_taken',
  );
  await world.code(SITE);
  await world.test();
  await world.deploy();
  const again = await world.submit(spec('one'), { project: 'q' });
  assert.deepEqual((await world.story(again)).taskIds, ['one-2']);
});

test('a sick release is restarted, then rolled back to the good one before it, as one incident', async () => {
  await world.submit(spec('one'), { project: 'p' });
  await world.code(SITE);
  await world.test();
  await world.deploy();
  const good = (await world.releases('p'))[0]!;
  await world.submit(spec('two'), { project: 'p' });
  await world.code({ bad: '1' });
  await world.test();
  await world.deploy();
  for (let round = 0; round < 12; round++) await world.watch('p', false);
  await world.deploy();
  const releases = await world.releases('p');
  assert.equal(releases.find((release) => release.status === 'live')!.id, good.id);
  await world.watch('p', true);
  const incidents = await world.context.store.read((reader) =>
    reader.incidents.list({ project: 'p', limit: 10 }),
  );
  assert.equal(incidents.length, 1);
  assert.equal(incidents[0]!.status, 'resolved');
  assert.deepEqual(
    incidents[0]!.actions.map((one) => one.action),
    ['restart', 'restart', 'rollback'],
  );
});

test('where nothing earlier is kept, a script repairs with its next attempt; then a person is called', async () => {
  await world.submit(spec('one'), { project: 'p' });
  await world.code(SITE);
  await world.test();
  await world.deploy();
  for (let round = 0; round < 12; round++) await world.watch('p', false);
  const lease = await world.lease('coding');
  assert.ok(lease?.payload.kind === 'code' && lease.payload.attempt === 2);
  assert.match(lease.payload.evidence!.reason, /the live release fails/);
  await world.code({ fixed: '1' }, lease);
  await world.test();
  await world.deploy();
  await world.watch('p', true);
  const [incident] = await world.context.store.read((reader) =>
    reader.incidents.list({ project: 'p', limit: 10 }),
  );
  assert.equal(incident!.status, 'resolved');
});

test('a story with control characters is refused, one with line breaks and tabs is not', async () => {
  const submit = (text: string) =>
    submitStory(world.context, {
      story: { text },
      idempotencyKey: undefined,
      bodyHash: '',
      actor: 'operator',
    });
  await assert.rejects(
    submit('a blog\u0000site'),
    (error) => error instanceof ProblemError && error.code === 'invalid_request',
  );
  assert.equal((await submit('a blog\n\twith posts')).story.status, 'received');
});
