import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, SubmitStory } from '@dbox/contracts';
import { ProblemError, SETTLED_STORY_STATUSES } from '@dbox/contracts';
import type { Box } from '../box.ts';
import type { Acknowledged, AcknowledgedLedger, AcknowledgedStory, Expected } from './acknowledged.ts';
import { connectTo } from './box-client.ts';
import type { SeededRandom } from './seeded-random.ts';

/** A call to a box that is being killed hangs or breaks off; then it is given up. */
const ANSWER_LIMIT_MS = 15_000;
const AWAY_MS = 150;
/** Unsettled stories of one project at a time: enough to overlap, few enough for a small machine. */
const MOVING_LIMIT = 2;

export interface LoadOptions {
  readonly box: Box;
  readonly project: string;
  readonly random: SeededRandom;
  readonly ledger: AcknowledgedLedger;
  readonly signal: AbortSignal;
}

/** One project's people: they submit, cancel, try again and roll back until the signal, whatever happens to the box. */
export async function loadProject(options: LoadOptions): Promise<void> {
  const { random, signal } = options;
  await settled(options, await submit(options, firstStory(options.project)));
  for (let n = 1; !signal.aborted; n += 1) {
    const moving = options.ledger.stories.filter((story) => story.project === options.project).slice(-6);
    await settledEnough(options, moving);
    if (signal.aborted) return;
    const act = random.pick<() => Promise<unknown>>([
      [40, () => submit(options, goodStory(options.project, n))],
      [15, () => submit(options, wrongThenRightStory(options.project, n))],
      [15, () => submit(options, dependentStory(options.project, n))],
      [8, () => failAndRetry(options, n)],
      [12, () => cancelAtOnce(options, n)],
      [20, () => rollBackWhenQuiet(options, moving)],
    ]);
    await act();
    await pause(random.between(50, 600), signal);
  }
}

interface Draft {
  readonly story: SubmitStory;
  readonly taskIds: readonly string[];
  readonly attempts: number;
  readonly expected: Expected;
}

interface DraftTask {
  readonly id: string;
  readonly tries: readonly string[];
  readonly dependsOn?: string;
  readonly tested: boolean;
}

const firstStory = (project: string) =>
  draft(project, [{ id: `${project}-0`, tries: ['right'], tested: false }]);
const goodStory = (project: string, n: number) =>
  draft(project, [{ id: `${project}-${n}`, tries: ['right'], tested: n % 3 === 0 }]);
const wrongThenRightStory = (project: string, n: number) =>
  draft(project, [{ id: `${project}-${n}`, tries: ['wrong', 'right'], tested: n % 2 === 0 }]);
const dependentStory = (project: string, n: number) =>
  draft(project, [
    { id: `${project}-${n}a`, tries: ['right'], tested: true },
    { id: `${project}-${n}b`, tries: ['right'], tested: false, dependsOn: `${project}-${n}a` },
  ]);

/** Each task leaves a file of its own; whether it is right is seen by a test, or at its address. */
function draft(project: string, tasks: readonly DraftTask[], expected: Expected = 'delivered'): Draft {
  const documents = tasks.map((task) => {
    const yaml = [
      `id: ${task.id}`,
      `title: Task ${task.id}`,
      'inputs:',
      '  - type: scripted',
      `    attempts: [${task.tries.map((_, index) => `try-${index + 1}`).join(', ')}]`,
      ...(task.dependsOn ? [`depends_on: [${task.dependsOn}]`] : []),
      ...(task.tested ? ['tests:', `  - run: node --test test/${task.id}.test.mjs`] : []),
      'acceptance:',
      `  - url: /${task.id}.txt`,
      `    contains: right ${task.id}`,
      `constraints: {max_attempts: ${task.tries.length}}`,
      '',
    ].join('\n');
    const attachments = task.tries.map((word, index) => ({
      attempt: `try-${index + 1}`,
      kind: 'directory' as const,
      files: Object.entries({
        [`${task.id}.txt`]: `${word} ${task.id}\n`,
        'index.html': `<!doctype html><title>${project}</title>\n`,
        'dbox.yaml': 'static: .\n',
        ...(task.tested ? { [`test/${task.id}.test.mjs`]: testOf(task.id) } : {}),
      }).map(([path, text]) => ({
        path,
        contentBase64: Buffer.from(text).toString('base64'),
        executable: false,
      })),
    }));
    return { file: `${task.id}.yaml`, yaml, attachments };
  });
  return {
    story: { documents, project },
    taskIds: tasks.map((task) => task.id),
    attempts: tasks[0]!.tries.length,
    expected,
  };
}

function testOf(id: string): string {
  return `import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
test('${id}', () => assert.match(readFileSync('${id}.txt', 'utf8'), /^right/));
`;
}

/** Until it is acknowledged, under one key: the same submission again and again is one story. */
async function submit(
  o: LoadOptions,
  { story, taskIds, attempts, expected }: Draft,
): Promise<AcknowledgedStory> {
  const key = randomUUID();
  for (let tries = 1; ; tries += 1) {
    const answer = await tryCall(o.box, (client, signal) =>
      client.call('submitStory', { body: story, headers: { 'idempotency-key': key }, signal }),
    );
    if (answer.kind === 'answered') {
      const storyId = answer.value!.story.id;
      const entry = { op: 'story' as const, key, storyId, project: o.project, taskIds, attempts, expected };
      o.ledger.write(entry);
      if (tries > 1) o.ledger.counts.repeated += 1;
      return entry;
    }
    if (answer.kind === 'refused' && !isPassing(answer.problem)) throw answer.problem;
    await sleep(AWAY_MS);
  }
}

async function failAndRetry(o: LoadOptions, n: number): Promise<void> {
  const wrong = [{ id: `${o.project}-${n}`, tries: ['wrong'], tested: true }];
  const story = await submit(o, draft(o.project, wrong, 'failed'));
  await settled(o, story);
  // No second try was recorded, so it fails again; what counts is that it does so once.
  await actOnce(o, 'retry', story.storyId, (client, signal) =>
    client.call('retryStory', { params: { storyId: story.storyId }, signal }),
  );
}

async function cancelAtOnce(o: LoadOptions, n: number): Promise<void> {
  const story = await submit(o, { ...goodStory(o.project, n), expected: 'cancelled or delivered' });
  await pause(o.random.between(0, 2_500), o.signal);
  const answer = await actOnce(o, 'cancel', story.storyId, (client, signal) =>
    client.call('cancelStory', { params: { storyId: story.storyId }, signal }),
  );
  if (answer === 'accepted') story.expected = 'cancelled';
}

/** Only when nothing else moves: what a rollback takes away is then told by the statuses alone. */
async function rollBackWhenQuiet(o: LoadOptions, stories: readonly AcknowledgedStory[]): Promise<void> {
  for (const story of stories) await settled(o, story);
  await actOnce(o, 'rollback', o.project, (client, signal) =>
    client.call('rollBack', { params: { project: o.project }, body: {}, signal }),
  );
}

async function actOnce(
  { box, ledger }: LoadOptions,
  op: 'rollback' | 'cancel' | 'retry',
  subject: string,
  work: (client: Client, signal: AbortSignal) => Promise<unknown>,
): Promise<'accepted' | 'refused' | 'lost'> {
  const answer = await tryCall(box, work);
  const kinds = { answered: 'accepted', refused: 'refused', lost: 'lost' } as const;
  const entry: Acknowledged = {
    op,
    subject,
    answer: kinds[answer.kind],
    detail: answer.kind === 'refused' ? answer.problem.message : '',
  };
  ledger.write(entry);
  if (answer.kind === 'refused' && answer.problem.code === 'internal') throw answer.problem;
  return entry.answer;
}

type Tried<T> =
  | { readonly kind: 'answered'; readonly value: T }
  | { readonly kind: 'refused'; readonly problem: ProblemError }
  | { readonly kind: 'lost' };

async function tryCall<T>(
  box: Box,
  work: (client: Client, signal: AbortSignal) => Promise<T>,
): Promise<Tried<T>> {
  try {
    const client = await connectTo(box);
    return { kind: 'answered', value: await work(client, AbortSignal.timeout(ANSWER_LIMIT_MS)) };
  } catch (error) {
    return error instanceof ProblemError ? { kind: 'refused', problem: error } : { kind: 'lost' };
  }
}

function isPassing({ code }: ProblemError): boolean {
  return code === 'stopping' || code === 'store_unavailable' || code === 'conflict';
}

async function settledEnough(o: LoadOptions, stories: readonly AcknowledgedStory[]): Promise<void> {
  for (;;) {
    let moving = 0;
    for (const story of stories) if (!(await isSettled(o.box, story))) moving += 1;
    if (moving < MOVING_LIMIT || o.signal.aborted) return;
    await pause(AWAY_MS, o.signal);
  }
}

async function settled(o: LoadOptions, story: AcknowledgedStory): Promise<void> {
  while (!o.signal.aborted && !(await isSettled(o.box, story))) await pause(AWAY_MS, o.signal);
}

async function isSettled(box: Box, { storyId }: AcknowledgedStory): Promise<boolean> {
  const answer = await tryCall(box, (client, signal) =>
    client.call('getStory', { params: { storyId }, signal }),
  );
  // An acknowledged story that is gone is for the checks at the end to tell.
  if (answer.kind === 'refused') return answer.problem.code === 'not_found';
  return answer.kind === 'answered' && SETTLED_STORY_STATUSES.includes(answer.value!.story.status);
}

const pause = (ms: number, signal: AbortSignal) => sleep(ms, undefined, { signal }).catch(() => undefined);
