import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { ProblemError } from '@dbox/contracts';
import { createSettingVault } from '../adapters/setting-vault-aes.ts';
import { retain } from '../loops/retention-loop.ts';
import { checkSettingsKey } from './check-settings-key.ts';
import { listSettings } from './list-settings.ts';
import { readReleaseSettings } from './read-release-settings.ts';
import { removeSetting } from './remove-setting.ts';
import { rollBack } from './roll-back.ts';
import { setSetting } from './set-setting.ts';
import { SITE, specOf } from './testing/specs.ts';
import { World } from './testing/world.ts';

let world: World;
beforeEach(async () => {
  world = await World.open();
});
afterEach(() => world.close());

const DEV = { project: 'p', environment: 'dev', actor: 'operator' };
const set = (key: string, value: string) => setSetting(world.context, { ...DEV, key, value });
const unset = (key: string) => removeSetting(world.context, { ...DEV, key });
const list = () => listSettings(world.context, DEV);
const valuesOf = async (releaseId: string) => (await readReleaseSettings(world.context, releaseId)).values;
const rollBackNow = () => rollBack(world.context, { ...DEV, releaseId: undefined, why: 'test' });

async function submit(id: string) {
  await world.submit(specOf(id), { project: 'p' });
  await world.code({ ...SITE, [id]: '1' });
  await world.test();
}
async function deliver(id: string) {
  await submit(id);
  await world.deploy();
}
const isProblem = (code: string, words: RegExp) => (error: unknown) =>
  error instanceof ProblemError && error.code === code && words.test(error.message);

test('a change releases the same commit again with it; neither main nor the task moves', async () => {
  await deliver('one');
  const before = { live: await world.live('p'), main: (await world.project('p')).mainCommit };
  const { version, effect, releaseId } = await set('GREETING', 'hello');
  assert.deepEqual([version, effect], [1, 'releasing']);
  assert.deepEqual(await list(), { ...(await list()), version: 1, live: 0, pending: true, refused: null });
  await world.deploy();
  const live = await world.live('p');
  assert.equal(live.id, releaseId);
  assert.equal(live.commit, before.live.commit);
  assert.deepEqual(await valuesOf(live.id), { GREETING: 'hello' });
  assert.deepEqual(await valuesOf(before.live.id), {});
  assert.equal((await world.releases('p')).find((one) => one.id === before.live.id)!.status, 'superseded');
  assert.deepEqual(
    [
      (await world.project('p')).mainCommit,
      (await world.task('one')).status,
      (await world.project('p')).work,
    ],
    [before.main, 'deployed', null],
  );
  assert.deepEqual(await list(), { ...(await list()), version: 1, live: 1, pending: false });
});

test('where nothing is live yet the first release carries what was set, and one release is enough', async () => {
  await world.submit(specOf('one'), { project: 'p' });
  assert.equal((await set('A', '1')).effect, 'next_release');
  assert.equal((await set('B', '2')).effect, 'next_release');
  await world.code({ ...SITE });
  await world.test();
  await world.deploy();
  assert.deepEqual(await valuesOf((await world.live('p')).id), { A: '1', B: '2' });
  assert.equal((await world.releases('p')).length, 1);
  assert.equal((await list()).pending, false);
});

test('of two changes at once both are kept: one is released, then the other with it', async () => {
  await deliver('one');
  const changes = await Promise.all([set('A', '1'), set('B', '2'), set('C', '3')]);
  assert.deepEqual(changes.map((one) => one.effect).sort(), ['releasing', 'waiting', 'waiting']);
  assert.deepEqual(changes.map((one) => one.version).sort(), [1, 2, 3]);
  await world.deploy();
  assert.deepEqual(await valuesOf((await world.live('p')).id), { A: '1' });
  await world.deploy();
  assert.deepEqual(await valuesOf((await world.live('p')).id), { A: '1', B: '2', C: '3' });
  assert.equal(await world.lease('deployment'), null, 'what waited was merged into one release');
});

test('while a candidate is being released the settings wait for it, and then have their turn', async () => {
  await deliver('one');
  await submit('two');
  assert.equal((await set('A', '1')).effect, 'waiting');
  await world.deploy();
  assert.deepEqual([(await world.live('p')).taskId, (await world.live('p')).settingsVersion], ['two', 0]);
  await world.deploy();
  assert.equal((await world.live('p')).settingsVersion, 1);
  assert.equal((await world.task('two')).status, 'deployed');
});

test('a candidate that comes later carries the newest settings, and no release of their own follows', async () => {
  await deliver('one');
  await submit('two');
  await set('A', '1');
  await world.deploy('host fails');
  await world.deploy();
  const live = await world.live('p');
  assert.deepEqual([live.taskId, live.settingsVersion, live.trigger], ['two', 1, 'task']);
  assert.equal(await world.lease('deployment'), null);
  assert.deepEqual([(await list()).pending, (await list()).live], [false, 1]);
});

test('refused settings leave the old release with the old ones, stay what the next release runs with, and that says so', async () => {
  await deliver('one');
  await set('A', 'good');
  await world.deploy();
  const good = await world.live('p');
  await set('A', 'bad');
  await world.deploy('smoke fails');
  assert.equal((await world.live('p')).id, good.id);
  assert.deepEqual(await valuesOf(good.id), { A: 'good' });
  const state = await list();
  assert.deepEqual([state.version, state.live, state.pending], [2, 1, false]);
  assert.equal(state.refused?.version, 2);
  assert.match(state.refused.reason, /smoke fails/);
  assert.equal((await world.project('p')).work, null);
  assert.equal((await world.events('settings.refused')).length, 1);
  assert.equal((await world.task('one')).status, 'deployed');

  await submit('two');
  const queued = (await world.events('release.queued')).at(-1)!;
  assert.equal(queued.data.settings, 2);
  assert.match(String(queued.data.doubt), /settings version 2, which had been refused with release rel_/);
  await world.deploy('smoke fails');
  assert.match((await world.task('two')).evidenceReason!, /settings version 2, which had been refused/);
});

test('what the host made fail is repeated, and after the third time a person is told', async () => {
  await deliver('one');
  await set('A', '1');
  await world.deploy('host fails');
  assert.equal((await list()).pending, true);
  await world.deploy('host fails');
  await world.deploy('host fails');
  assert.deepEqual([(await list()).pending, (await list()).refused?.version], [false, 1]);
  assert.equal(await world.lease('deployment'), null);
  assert.equal((await set('A', '1')).version, 1, 'the same again is no new version');
  await world.deploy();
  assert.deepEqual([(await list()).live, (await list()).refused], [1, null]);
});

test('a rollback restores the settings of its release, and later releases and changes go on from these', async () => {
  await deliver('one');
  await set('A', 'good');
  await world.deploy();
  await set('A', 'bad');
  await world.deploy();
  await rollBackNow();
  await assert.rejects(set('B', '1'), isProblem('project_busy', /rollback/));
  await world.deploy();
  assert.deepEqual(await valuesOf((await world.live('p')).id), { A: 'good' });
  assert.deepEqual(
    (await world.events('settings.restored')).map(({ data }) => [data.from, data.to]),
    [[2, 1]],
  );
  assert.equal(await world.lease('deployment'), null, 'nothing brings the bad ones back');
  await set('B', '1');
  await world.deploy();
  assert.deepEqual(await valuesOf((await world.live('p')).id), { A: 'good', B: '1' });
  assert.equal((await list()).version, 3);
});

test('during a release of settings a rollback is refused, and the next candidate waits', async () => {
  await deliver('one');
  await deliver('two');
  await set('A', '1');
  await assert.rejects(rollBackNow(), isProblem('project_busy', /settings are being released/));
  await submit('three');
  assert.equal((await world.task('three')).integration, 'waiting');
  await world.deploy();
  await world.deploy();
  assert.deepEqual([(await world.live('p')).taskId, (await world.live('p')).settingsVersion], ['three', 1]);
});

test('a setting is taken away, and one that is not there is named with those that are', async () => {
  await deliver('one');
  await set('A', '1');
  await world.deploy();
  await assert.rejects(unset('B'), isProblem('not_found', /no setting B; there are: A/));
  assert.equal((await unset('A')).effect, 'releasing');
  await world.deploy();
  assert.deepEqual(await valuesOf((await world.live('p')).id), {});
  await assert.rejects(
    listSettings(world.context, { ...DEV, environment: 'staging' }),
    isProblem('not_found', /dev/),
  );
});

test('the same value again changes nothing', async () => {
  await deliver('one');
  await set('A', '1');
  assert.equal((await set('A', '1')).effect, 'releasing');
  await world.deploy();
  assert.deepEqual(await set('A', '1'), { version: 1, effect: 'live', releaseId: null });
  assert.equal((await world.events('settings.changed')).length, 1);
});

test('no value is in an event, a job, a release or the store’s documents', async () => {
  await deliver('one');
  await set('A', 'canary-4711');
  await world.deploy();
  await set('A', 'canary-4712');
  await world.deploy();
  const kept = await world.context.store.read(async (reader) => [
    await reader.events.list({ after: 0, limit: 5000 }),
    await reader.releases.list({ limit: 100 }),
    await reader.environments.list(),
    await reader.settings.listOfEnvironment(DEV),
  ]);
  assert.doesNotMatch(JSON.stringify([kept, await list()]), /canary-471/);
});

test('with its key lost a value is refused with what to do, and can be set again', async () => {
  await deliver('one');
  await set('A', '1');
  await world.deploy();
  world.context = { ...world.context, vault: createSettingVault(Buffer.alloc(32, 8)) };
  await assert.rejects(
    valuesOf((await world.live('p')).id),
    isProblem('conflict', /secrets\/env\.key.*dbox env set p KEY.*: A/),
  );
  await checkSettingsKey(world.context);
  assert.match(
    [...world.context.observations.warnings.values()].join(),
    /value of A of p\/dev cannot be decrypted/,
  );
  await set('A', '1');
  await world.deploy();
  assert.deepEqual(await valuesOf((await world.live('p')).id), { A: '1' });
  assert.equal(world.context.observations.warnings.size, 0, 'no longer true once they are set again');
});

test('versions that no release can run with again are dropped', async () => {
  await deliver('one');
  for (const value of ['1', '2', '3', '4', '5', '6', '7', '8']) {
    await set('A', value);
    await world.deploy(value === '8' ? 'smoke fails' : 'ready');
  }
  await retain(world.context);
  const kept = await world.context.store.read((reader) => reader.settings.listOfEnvironment(DEV));
  assert.deepEqual(
    kept.map((one) => one.number),
    [2, 3, 4, 5, 6, 7, 8],
  );
  await rollBackNow();
  await world.deploy();
  await retain(world.context);
  const then = await world.context.store.read((reader) => reader.settings.listOfEnvironment(DEV));
  assert.ok(!then.some((one) => one.number === 8), 'what was refused and given up');
  assert.deepEqual(await valuesOf((await world.live('p')).id), { A: '6' });
});

test('more than a process can be given is refused', async () => {
  await deliver('one');
  const big = 'x'.repeat(32 * 1024);
  const asked = [];
  for (let n = 0; n < 13; n++)
    asked.push(
      await set(`K${n}`, big).then(
        () => 'ok',
        (error) => error.code,
      ),
    );
  assert.equal(asked.at(-1), 'invalid_request');
  assert.equal(asked[5], 'ok');
});

test('settings on their way step back when the visitors of what is live fail, and go back with it', async () => {
  await deliver('one');
  const good = await world.live('p');
  await set('A', 'bad');
  await world.deploy();
  const { releaseId } = await set('B', '1');
  const fromReleaseId = (await world.live('p')).id;
  await rollBack(world.context, {
    ...DEV,
    releaseId: good.id,
    fromReleaseId,
    inHaste: true,
    why: 'visitors',
  });
  assert.equal((await world.releases('p')).find((one) => one.id === releaseId)!.status, 'stopped');
  await world.ack();
  assert.deepEqual([(await world.live('p')).id, await valuesOf(good.id)], [good.id, {}]);
  assert.deepEqual([(await list()).version, (await list()).pending], [0, false]);
  assert.equal(await world.lease('deployment'), null);
  assert.equal((await world.project('p')).work, null);
});

test('what a release was built into is kept, and changed settings and a rollback run the very same', async () => {
  const image = `sha256:${'a'.repeat(64)}`;
  const jobOf = async () => {
    const lease = await world.lease('deployment');
    assert.ok(lease?.payload.kind === 'deploy');
    return { lease, payload: lease.payload };
  };
  await submit('one');
  const { lease, payload } = await jobOf();
  const checks = payload.checks.map(
    ({ id }) => ({ id, outcome: 'passed', detail: '', latencyMs: 1 }) as const,
  );
  const target = { kind: 'tcp', host: '127.0.0.1', port: 1 } as const;
  await world.finish(lease, { kind: 'deploy', outcome: 'succeeded', target, image, checks });
  await world.ack();
  assert.equal((await world.live('p')).image, image);
  await set('A', '1');
  const again = await jobOf();
  assert.equal(again.payload.image, image);
  await world.finish(again.lease, { kind: 'deploy', outcome: 'succeeded', target, image, checks });
  await world.ack();
  await rollBackNow();
  assert.deepEqual([(await jobOf()).payload.image, (await world.live('p')).image], [image, image]);
});
