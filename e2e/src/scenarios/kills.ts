import assert from 'node:assert/strict';
import type { Release, StoryReport } from '@dbox/contracts';
import type { Box } from '../box.ts';
import { get, until } from '../box.ts';
import { findDoubles, readEvents } from '../ledger-checks.ts';
import { nodeTest, page, recordTasks } from '../recorded-task.ts';
import type { Scenario } from '../scenario.ts';
import { showTask } from '../scenario.ts';

/**
 * The state writes of the path from a box's start over a story to its live and healthy release, in
 * their order, each named by an event it holds; `#n` is the n-th write with that event.
 */
export const PATH_EVENTS = [
  'box.started',
  'agent.registered',
  'project.added',
  'story.received',
  'plan.made',
  'task.assigned',
  'job.leased',
  'commit.received',
  'attempt.committed',
  'task.complete',
  'job.leased#2',
  'job.progress',
  'verdict.given',
  'task.verified',
  'candidate.chosen',
  'release.queued',
  'job.leased#3',
  'release.building',
  'release.starting',
  'release.smoking',
  'release.baking',
  'main.moved',
  'task.deployed',
  'release.live',
  'story.delivered',
  'environment.healthy',
] as const;

/** A lease that expires quickly, so that a kill costs seconds: what is shown does not depend on how long it is. */
export const SHORT_LEASES = { DBOX_LEASE_MS: '3000' };

export const killAndResume: Scenario = {
  name: 'a box killed on the way resumes by itself: the story is delivered, nothing is done twice',
  env: SHORT_LEASES,
  async run(box) {
    for (const [n, failpoint] of [
      'after:story.received',
      'before:task.complete',
      'after:release.baking',
    ].entries()) {
      await surviveFailpoint(box, failpoint, `kill-${n}`);
    }
  },
};

/** Submits a story to a box that dies at the failpoint, brings it up again, and looks at what came of it. */
export async function surviveFailpoint(box: Box, failpoint: string, name: string): Promise<void> {
  await box.kill();
  // One that dies on its way up never says that it is up.
  await box.dbox(['up'], { env: { DBOX_FAILPOINT: failpoint } });
  const file = await recordTasks(box.directory, [
    {
      id: name,
      attempts: [{ ...page(name), ...nodeTest('there', "  assert.ok(existsSync('index.html'));") }],
      tests: ['node --test'],
      acceptance: `  - url: /\n    contains: ${name}\n`,
    },
  ]);
  const submitted = await box.dbox(['story', '-f', file, '--project', name, '--json']);
  await until(`the box dies at ${failpoint}`, async () => (await box.pid()) === null, 60_000);
  await box.ok(['up']);
  if (submitted.code !== 0) {
    // Not acknowledged: it may be there or not, but never by half. Submitted again it is either new or taken.
    await box.dbox(['story', '-f', file, '--project', name]);
  }
  await until(
    `${name} is delivered after ${failpoint}`,
    async () => (await showTask(box, name).catch(() => null))?.status === 'deployed',
    90_000,
  );
  await assertDoneOnce(box, name, failpoint);
}

async function assertDoneOnce(box: Box, name: string, failpoint: string): Promise<void> {
  const task = await showTask(box, name);
  assert.equal(task.attemptCount, 1, `${failpoint}: a kill uses no attempt`);
  const story = await box.json<StoryReport>(['show', task.storyId]);
  assert.equal(story.story.status, 'delivered');
  assert.match((await get(story.url!)).text, new RegExp(name));
  const { releases } = await box.json<{ releases: Release[] }>(['releases']);
  const own = releases.filter((release) => release.project === name);
  assert.deepEqual(
    own.map((release) => release.status),
    ['live'],
    `${failpoint}: one release was made, and it is live`,
  );
  assert.deepEqual(findDoubles(await readEvents(box)), [], failpoint);
  const verified = await box.dbox(['events', 'verify']);
  assert.equal(verified.code, 0, `${failpoint}: ${verified.stdout}${verified.stderr}`);
}
