import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { cancelTask } from './cancel-task.ts';
import { observeRelease } from './observe-release.ts';
import { reportWatch } from './report-watch.ts';
import { setSetting } from './set-setting.ts';
import { SITE, specOf } from './testing/specs.ts';
import { World } from './testing/world.ts';

let world: World;
beforeEach(async () => {
  world = await World.open();
});
afterEach(() => world.close());

async function deliver(id: string, more = '') {
  await world.submit(specOf(id, more), { project: 'p' });
  await world.code({ ...SITE, [id]: '1' });
  await world.test();
  await world.deploy();
  return (await world.releases('p')).find((release) => release.taskId === id)!;
}

const incident = async () =>
  (await world.context.store.read((reader) => reader.incidents.list({ project: 'p', limit: 10 })))[0]!;
const checkEvents = async () =>
  (await world.eventTypes()).filter((type) => /^check\.(failing|passing)$/.test(type));

test('the first failing round of a check and the first good one after it are events, the rest is not', async () => {
  await deliver('one');
  for (const ok of [true, true, false, false, true, true, false]) await world.watch('p', ok);
  assert.deepEqual(await checkEvents(), ['check.failing', 'check.passing', 'check.failing']);
});

test('a log criterion is news each time it matches', async () => {
  const release = await deliver('one', '  - log: {must_not_match: panic}\n');
  const checks = await world.context.store.read((reader) => reader.checks.listOfProject('p'));
  const { id } = checks.find((check) => check.criterion.kind === 'log')!;
  for (const ok of [true, false, false, true]) {
    const results = [{ id, ok, detail: ok ? 'silent' : 'panic', latencyMs: null }];
    await reportWatch(world.context, { releaseId: release.id, results });
  }
  assert.deepEqual(await checkEvents(), ['check.failing', 'check.failing', 'check.passing']);
});

test('a rollback that must wait for another release is taken once that is through, as one action', async () => {
  await deliver('one');
  await deliver('two');
  for (let round = 0; round < 8; round++) await world.watch('p', false);
  await world.submit(specOf('three'), { project: 'p' });
  await world.code({ three: '1' });
  await world.test();
  for (let round = 0; round < 6; round++) await world.watch('p', false);
  assert.ok(!(await incident()).actions.some((one) => one.action === 'rollback'));
  await world.deploy('smoke fails');
  await world.watch('p', false);
  assert.deepEqual(
    (await incident()).actions.map((one) => one.action),
    ['restart', 'restart', 'rollback'],
  );
  assert.equal((await world.project('p')).work?.kind, 'rollback');
});

test('a rollback whose git fails leaves no trace of having been tried', async () => {
  await deliver('one');
  const two = await deliver('two');
  world.repositories.commitTreeOf = () => Promise.reject(new Error('killed'));
  const ended = {
    type: 'exited',
    releaseId: two.id,
    exitCode: 1,
    signal: null,
    outputTail: '',
    gaveUp: true,
  } as const;
  await assert.rejects(observeRelease(world.context, two.id, ended, 'agent'), /killed/);
  assert.deepEqual((await incident()).actions, []);
});

test('while a repair is made nobody is called and no second one begins; a withdrawn one calls a person', async () => {
  await deliver('one');
  for (let round = 0; round < 30; round++) await world.watch('p', false);
  assert.deepEqual(
    (await incident()).actions.map((one) => one.action),
    ['restart', 'restart', 'repair'],
  );
  await cancelTask(world.context, 'one', 'operator');
  for (let round = 0; round < 6; round++) await world.watch('p', false);
  assert.equal((await incident()).status, 'escalated');
  assert.deepEqual(world.errors, []);
});

test('code of a foreign engine that is live or under repair ends the trust in a project', async () => {
  await deliver('one');
  for (let round = 0; round < 12; round++) await world.watch('p', false);
  assert.equal((await world.task('one')).integration, 'none');
  const template = `id: two\ntitle: t\ninputs:\n  - type: template\n    name: simple-static\ntests:\n  - run: npm test\n`;
  await world.submit(template, { project: 'p' });
  const [repair, lease] = [await world.lease('coding'), await world.lease('coding')];
  const held = repair!.job.taskId === 'two' ? repair! : lease!;
  await world.code({ two: '1' }, held);
  const job = await world.lease('testing');
  assert.ok(job?.payload.kind === 'test' && job.payload.taskId === 'two');
  assert.equal(job.payload.trusted, false);
});

test('what a failing answer quotes of a setting is written down as its key', async () => {
  const { id } = await deliver('one');
  const change = { project: 'p', environment: 'dev', key: 'TOKEN', value: 'canary-4711', actor: 'operator' };
  await setSetting(world.context, change);
  await world.deploy();
  const { id: releaseId } = await world.live('p');
  assert.notEqual(releaseId, id);
  const detail = 'answered "canary-4711" at token, expected "x"';
  const results = [{ id: 'reachable', ok: false, detail, latencyMs: 1 }];
  for (let round = 0; round < 3; round++) await reportWatch(world.context, { releaseId, results });
  assert.match((await incident()).detail, /answered "\[TOKEN\]" at token/);
  const events = await world.context.store.read((reader) => reader.events.list({ after: 0, limit: 5000 }));
  assert.doesNotMatch(JSON.stringify([events, await incident()]), /canary-4711/);
});
