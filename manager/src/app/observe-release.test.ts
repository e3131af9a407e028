import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { observeRelease } from './observe-release.ts';
import { reportUsage } from './report-usage.ts';
import { SITE, specOf } from './testing/specs.ts';
import { World } from './testing/world.ts';
import { getStatus } from './views.ts';

let world: World;
beforeEach(async () => {
  world = await World.open();
  await world.submit(specOf('one'), { project: 'p' });
  await world.code(SITE);
  await world.test();
  await world.deploy();
});
afterEach(() => world.close());

const HOUR_MS = 60 * 60 * 1000;
const BOX = { version: '0', mode: 'process', url: '', pid: 1, workspace: '' } as const;

test('what the container engine says of a release is in the ledger, a bounded number of times an hour', async () => {
  const { id } = await world.live('p');
  const die = () =>
    observeRelease(
      world.context,
      id,
      { type: 'engine_event', releaseId: id, action: 'oom', detail: '512 MiB' },
      'agent:deployment',
    );
  for (let n = 0; n < 30; n++) await die();
  const events = await world.events('release.engine_event');
  assert.equal(events.length, 20);
  assert.deepEqual(events[0]!.data, { action: 'oom', detail: '512 MiB' });
  assert.match(String(events.at(-1)!.data.note), /within this hour/);
  world.nowMs += HOUR_MS;
  await die();
  assert.equal((await world.events('release.engine_event')).length, 21);
});

test('what a live release uses is shown while it is fresh', async () => {
  const { id } = await world.live('p');
  const usage = { cpuPercent: 12.5, memoryBytes: 1024, memoryLimitBytes: null, processes: 3 };
  const shown = async () => (await getStatus(world.context, BOX)).projects[0]!.environments[0]!.usage;
  assert.equal(await shown(), null);
  await reportUsage(world.context, [{ releaseId: id, ...usage }]);
  assert.deepEqual(await shown(), usage);
  world.nowMs += 61_000;
  assert.equal(await shown(), null);
});
