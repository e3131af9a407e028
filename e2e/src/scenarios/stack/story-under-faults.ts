import assert from 'node:assert/strict';
import type { Event, Release, StoryReport } from '@dbox/contracts';
import { SETTLED_STORY_STATUSES } from '@dbox/contracts';
import type { Box } from '../../box.ts';
import { get, until } from '../../box.ts';
import { findDoubles, readEvents } from '../../ledger-checks.ts';
import { nodeTest, recordTasks, service } from '../../recorded-task.ts';
import { showTask, stackOf } from '../../scenario.ts';
import { connectTo } from '../../soak/box-client.ts';

/**
 * Short, so that a job whose agent is gone is soon another's; long enough that a busy machine with two
 * cores and a dozen containers does not lose leases of its own accord.
 */
export const STACK_LEASES = { DBOX_LEASE_MS: '6000' };

/** Long enough that a fault hits the test itself and not what is around it. */
const TEST_MS = 2_500;
const DELIVERED_WITHIN_MS = 120_000;
/** By then the supervisor has taken away whatever a killed life left. */
const ORPHANS_GONE_WITHIN_MS = 60_000;

/** Submits a story with a test that takes a while; returns at once. */
export async function submit(box: Box, name: string): Promise<void> {
  const slow = `  const end = Date.now() + ${TEST_MS}; while (Date.now() < end);\n  assert.ok(existsSync('server.mjs'));`;
  const file = await recordTasks(box.directory, [
    {
      id: name,
      attempts: [{ ...service(name), ...nodeTest('slow', slow) }],
      tests: ['node --test'],
      acceptance: `  - url: /\n    contains: ${name}\n`,
    },
  ]);
  await box.ok(['story', '-f', file, '--project', name]);
}

/** Waits for the first event of this type that is about the task or a job or release of it. */
export async function happened(box: Box, name: string, type: Event['type']): Promise<void> {
  const client = await connectTo(box);
  let after = 0;
  const own = new Set<string>([`task/${name}`, `project/${name}`]);
  await until(`${type} of ${name}`, async () => {
    const answer = await client.call('listEvents', { query: { after, limit: 5000 } }).catch(() => null);
    for (const event of answer?.events ?? []) {
      after = event.seq;
      const isOwn = own.has(event.subject) || JSON.stringify(event.data).includes(`"${name}"`);
      if (isOwn) own.add(event.subject);
      if (isOwn && event.type === type) return true;
    }
    return false;
  });
}

/** The story came to its end by itself: once, whole, and nothing of it or of a fault is left lying about. */
export async function assertDelivered(box: Box, name: string, fault: string): Promise<void> {
  await until(
    `${name} settles after ${fault}`,
    async () => {
      const story = await reportOf(box, name).catch(() => null);
      return story !== null && (SETTLED_STORY_STATUSES as readonly string[]).includes(story.story.status);
    },
    DELIVERED_WITHIN_MS,
  );
  const story = await reportOf(box, name);
  assert.equal(story.story.status, 'delivered', `${fault}: ${JSON.stringify(story)}`);
  assert.equal((await showTask(box, name)).attemptCount, 1, `${fault}: a fault outside uses no attempt`);
  await until(
    `the site of ${name} answers after ${fault}`,
    async () => (await get(story.url!).catch(() => null))?.text.includes(name) === true,
  );
  const { releases } = await box.json<{ releases: Release[] }>(['releases']);
  const own = releases.filter((release) => release.project === name);
  assert.deepEqual(
    own.map((release) => release.status),
    ['live'],
    `${fault}: one release was made, and it is live`,
  );
  assert.deepEqual(findDoubles(await readEvents(box)), [], fault);
  await box.ok(['events', 'verify']);
  await assertNoOrphans(box, fault);
}

/** Every container of a release belongs to a release that the box knows as one that runs. */
export async function assertNoOrphans(box: Box, fault: string): Promise<void> {
  const orphans = async () => {
    const { releases } = await box.json<{ releases: Release[] }>(['releases']);
    const running = new Set(
      releases.filter((one) => !['refused', 'stopped'].includes(one.status)).map((one) => one.id),
    );
    return (await stackOf(box).releases())
      .filter(({ State, Config }) => State.Running && !running.has(Config.Labels['dbox.release']!))
      .map(({ Name }) => Name);
  };
  await until(
    `no orphan is left after ${fault}`,
    async () => (await orphans()).length === 0,
    ORPHANS_GONE_WITHIN_MS,
  );
}

export async function allHealthy(box: Box): Promise<void> {
  await until('every service runs and is healthy', async () => {
    const services = (await stackOf(box).containers()).filter(
      ({ Config }) => Config.Labels['com.docker.compose.service'] !== undefined,
    );
    return services.every(({ State }) => State.Running && (State.Health?.Status ?? 'healthy') === 'healthy');
  });
}

async function reportOf(box: Box, name: string): Promise<StoryReport> {
  return box.json<StoryReport>(['show', (await showTask(box, name)).storyId]);
}
