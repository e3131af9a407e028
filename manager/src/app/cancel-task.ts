import type { Task } from '@dbox/contracts';
import { ProblemError, SETTLED_TASK_STATUSES } from '@dbox/contracts';
import type { StoryRecord, TaskRecord } from '../ports/records.ts';
import type { StoreTransaction } from '../ports/store.ts';
import type { AppContext } from './context.ts';
import { transact } from './context.ts';
import { withdrawJobs } from './job-steps.ts';
import { saveMovedRelease } from './release-steps.ts';
import { rollUp, saveMovedStory } from './story-steps.ts';
import { blockDependents, freeProject, saveMoved } from './task-steps.ts';
import { toWireTask } from './views.ts';

/** Withdraws a task before the switch; after it, only a rollback helps. */
export async function cancelTask(context: AppContext, taskId: string, actor: string): Promise<Task> {
  return transact(context, async (tx) => {
    const task = await tx.tasks.get(taskId);
    if (!task) throw new ProblemError('not_found', `there is no task ${taskId}; \`dbox tasks\` lists them`);
    if (task.status === 'cancelled') return toWireTask(task);
    const cancelled = await withdraw(context, tx, task, actor);
    await blockDependents(context, tx, cancelled, actor);
    await rollUp(context, tx, task.storyId, actor);
    return toWireTask(cancelled);
  });
}

export async function cancelStory(context: AppContext, storyId: string, actor: string): Promise<void> {
  await transact(context, async (tx) => {
    const story = await tx.stories.get(storyId);
    if (!story)
      throw new ProblemError('not_found', `there is no story ${storyId}; \`dbox status\` lists them`);
    if (story.status !== 'cancelled') await withdrawStory(context, tx, story, actor);
  });
}

/** Withdraws all of a story that is not in main. Throws `already_released` where nothing is left to withdraw. */
export async function withdrawStory(
  context: AppContext,
  tx: StoreTransaction,
  story: StoryRecord,
  actor: string,
): Promise<void> {
  const tasks = await tx.tasks.listOfStory(story.id);
  if (tasks.length === 0) {
    await saveMovedStory(context, tx, { ...story, reason: 'cancelled by a person' }, 'cancelled', actor);
    return;
  }
  const withdrawable = tasks.filter(
    (task) =>
      task.integration !== 'landed' &&
      (task.status === 'failed' || !SETTLED_TASK_STATUSES.includes(task.status)),
  );
  if (withdrawable.length === 0) throw alreadyReleased(`story ${story.id}`, story.project);
  const cancelled: TaskRecord[] = [];
  for (const task of withdrawable) cancelled.push(await withdraw(context, tx, task, actor));
  // Tasks of other stories may wait for these.
  for (const task of cancelled) await blockDependents(context, tx, task, actor);
  await rollUp(context, tx, story.id, actor);
}

async function withdraw(
  context: AppContext,
  tx: StoreTransaction,
  task: TaskRecord,
  actor: string,
): Promise<TaskRecord> {
  // An earlier release of its own may be live, or be rolled back to: that is none of this attempt.
  const releaseId = task.integration === 'releasing' ? task.releaseIds.at(-1) : undefined;
  const release = releaseId === undefined ? null : await tx.releases.get(releaseId);
  if (task.integration === 'landed' || release?.status === 'baking') {
    throw alreadyReleased(`task ${task.id}`, task.project);
  }
  await withdrawJobs(context, tx, task.id, actor);
  await freeProject(tx, task);
  if (release && ['queued', 'building', 'starting', 'smoking'].includes(release.status)) {
    await saveMovedRelease(context, tx, { ...release, reason: 'its task was cancelled' }, 'stopped', actor);
    await tx.topology.bump();
  }
  return saveMoved(
    context,
    tx,
    { ...task, reason: 'cancelled by a person', integration: 'none', integrationOrder: null },
    'cancelled',
    { actor },
  );
}

function alreadyReleased(what: string, project: string): ProblemError {
  return new ProblemError(
    'already_released',
    `${what} is already released; \`dbox rollback --project ${project}\` gives the traffic back to the release before it`,
  );
}
