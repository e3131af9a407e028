import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Release, StoryReport, TaskDetail } from '@dbox/contracts';
import { SETTLED_STORY_STATUSES } from '@dbox/contracts';
import type { Box } from '../box.ts';
import { get, until } from '../box.ts';
import { findDoubles, readEvents } from '../ledger-checks.ts';
import { status } from '../scenario.ts';
import type { AcknowledgedLedger, AcknowledgedStory } from './acknowledged.ts';
import { connectTo } from './box-client.ts';

const SETTLE_LIMIT_MS = 180_000;

/** Waits until nothing moves any more and compares what is there with what was acknowledged. */
export async function checkSettled(box: Box, ledger: AcknowledgedLedger): Promise<string[]> {
  const findings: string[] = [];
  await until('all stories have settled', () => isQuiet(box), SETTLE_LIMIT_MS).catch(async (error: Error) => {
    const moving = (await status(box)).stories.filter((one) => !SETTLED_STORY_STATUSES.includes(one.status));
    findings.push(`${error.message}: ${moving.map((one) => `${one.id} is ${one.status}`).join(', ')}`);
  });
  findings.push(...(await checkStories(box, ledger)));
  findings.push(...findDoubles(await readEvents(box)));
  const verified = await box.dbox(['events', 'verify']);
  if (verified.code !== 0) findings.push(`events verify: ${verified.stdout}${verified.stderr}`);
  findings.push(...(await checkSites(box, ledger)));
  return findings;
}

async function isQuiet(box: Box): Promise<boolean> {
  const client = await connectTo(box);
  const { stories } = (await client.call('listStories', { query: { limit: 1000 } }))!;
  const { releases } = (await client.call('listReleases', { query: { limit: 1000 } }))!;
  const moving = ['queued', 'building', 'starting', 'smoking', 'baking'];
  return (
    stories.every((story) => SETTLED_STORY_STATUSES.includes(story.status)) &&
    !releases.some((release) => moving.includes(release.status))
  );
}

async function checkStories(box: Box, ledger: AcknowledgedLedger): Promise<string[]> {
  const client = await connectTo(box);
  const findings: string[] = [];
  const { stories } = (await client.call('listStories', { query: { limit: 1000 } }))!;
  const known = new Set(ledger.stories.map((story) => story.storyId));
  if (known.size !== ledger.stories.length) findings.push('two submissions were answered with one story');
  for (const story of stories) {
    if (!known.has(story.id))
      findings.push(`${story.id} (${story.text}) is there and was never acknowledged`);
  }
  for (const acknowledged of ledger.stories) {
    const { storyId } = acknowledged;
    const report = await client.call('getStory', { params: { storyId } }).catch(() => null);
    if (!report) {
      findings.push(`${storyId} was acknowledged and is not there`);
      continue;
    }
    findings.push(...compareStory(acknowledged, report));
    for (const taskId of acknowledged.taskIds) {
      const task = (await client.call('getTask', { params: { taskId } }))!;
      findings.push(...checkAttempts(acknowledged, task));
    }
  }
  return findings;
}

function compareStory(acknowledged: AcknowledgedStory, report: StoryReport): string[] {
  const { status: found, reason } = report.story;
  const wanted: readonly string[] = acknowledged.expected.split(' or ');
  const ids = report.tasks.map((task) => task.id);
  return [
    ...(wanted.includes(found)
      ? []
      : [`${acknowledged.storyId} should be ${acknowledged.expected} and is ${found} (${reason})`]),
    ...(ids.join() === acknowledged.taskIds.join()
      ? []
      : [`${acknowledged.storyId} has the tasks ${ids.join()} instead of ${acknowledged.taskIds.join()}`]),
  ];
}

/** A kill uses no attempt; only a verdict does. */
function checkAttempts({ attempts, expected }: AcknowledgedStory, task: TaskDetail): string[] {
  const numbers = task.attempts.map((attempt) => attempt.n);
  const inOrder = numbers.every((n, index) => n === index + 1);
  if (!inOrder) return [`${task.id} has the attempts ${numbers.join()}`];
  if (expected !== 'delivered' || task.attemptCount === attempts) return [];
  return [`${task.id} took ${task.attemptCount} attempts instead of ${attempts} (${task.reason})`];
}

/** One live release an environment, serving main's tree; and main holds what was deployed, nothing else. */
async function checkSites(box: Box, ledger: AcknowledgedLedger): Promise<string[]> {
  const findings: string[] = [];
  const client = await connectTo(box);
  const { releases } = (await client.call('listReleases', { query: { limit: 1000 } }))!;
  for (const { name, environments } of (await status(box)).projects) {
    const environment = environments[0]!;
    const live = releases.filter((release: Release) => release.project === name && release.status === 'live');
    if (live.length !== 1 || live[0]!.id !== environment.release?.id) {
      findings.push(
        `${name} has ${live.length} live releases, its address serves ${environment.release?.id}`,
      );
    }
    const clone = join(box.directory, `clone-${name}`);
    await box.ok(['clone', name, clone]);
    const files = (await readdir(clone)).filter((file) => /\.(txt|html)$/.test(file));
    for (const file of files) {
      const answer = await get(`${environment.url}/${file}`);
      const text = await readFile(join(clone, file), 'utf8');
      if (answer.status !== 200 || answer.text !== text)
        findings.push(`${name}: the site answers /${file} with ${answer.status}, not with main's file`);
    }
    const taskIds = ledger.stories
      .filter((story) => story.project === name)
      .flatMap((story) => story.taskIds);
    for (const taskId of taskIds) {
      const task = (await client.call('getTask', { params: { taskId } }))!;
      const isThere = files.includes(`${taskId}.txt`);
      if ((task.status === 'deployed') !== isThere) {
        findings.push(`${taskId} is ${task.status}, and its file is ${isThere ? '' : 'not '}in main`);
      }
    }
  }
  return findings;
}
