import type { Task } from '@dbox/contracts';
import { ProblemError } from '@dbox/contracts';
import { moveTask } from '../domain/lifecycles.ts';
import { dependentsOf } from '../domain/plan-graph.ts';
import type { TaskRecord } from '../ports/records.ts';
import type { StoreTransaction } from '../ports/store.ts';
import { testOrGoOn } from './complete-code.ts';
import type { AppContext } from './context.ts';
import { now, record, transact } from './context.ts';
import { requireProject } from './project-steps.ts';
import { rollUp, saveMovedStory } from './story-steps.ts';
import { assignTask, changeAttempt, enqueueCodeJob, queueForMain, saveMoved } from './task-steps.ts';
import { toWireTask } from './views.ts';

/** Revives a failed, blocked or rolled-back task, and whatever waits for it, with fresh attempts. */
export async function retryTask(context: AppContext, taskId: string, actor: string): Promise<Task> {
  return transact(context, async (tx) => {
    const task = await tx.tasks.get(taskId);
    if (!task) throw new ProblemError('not_found', `there is no task ${taskId}; \`dbox tasks\` lists them`);
    if (!isRetryable(task)) {
      throw new ProblemError(
        'illegal_transition',
        `task ${taskId} is ${task.status}; only failed, blocked and rolled-back tasks can be tried again`,
      );
    }
    await requireProject(tx, task.project);
    await revive(context, tx, task, actor);
    await reviveDependents(context, tx, task, actor);
    await rollUp(context, tx, task.storyId, actor);
    return toWireTask((await tx.tasks.get(taskId))!);
  });
}

export async function retryStory(context: AppContext, storyId: string, actor: string): Promise<void> {
  await transact(context, async (tx) => {
    const story = await tx.stories.get(storyId);
    if (!story)
      throw new ProblemError('not_found', `there is no story ${storyId}; \`dbox status\` lists them`);
    await requireProject(tx, story.project);
    if (story.taskIds.length === 0 && (story.status === 'failed' || story.status === 'blocked')) {
      await saveMovedStory(context, tx, { ...story, reason: null }, 'received', actor);
      return;
    }
    const tasks = (await tx.tasks.listOfStory(storyId)).filter(isRetryable);
    if (tasks.length === 0) {
      throw new ProblemError(
        'illegal_transition',
        `story ${storyId} is ${story.status} and has no failed, blocked or rolled-back task to try again`,
      );
    }
    for (const task of tasks) await revive(context, tx, task, actor);
    for (const task of tasks) await reviveDependents(context, tx, task, actor);
    await rollUp(context, tx, storyId, actor);
  });
}

function isRetryable(task: TaskRecord): boolean {
  return ['failed', 'blocked', 'rolled_back'].includes(task.status);
}

async function revive(
  context: AppContext,
  tx: StoreTransaction,
  task: TaskRecord,
  actor: string,
): Promise<void> {
  await record(context, tx, {
    actor,
    type: 'task.retried',
    subject: `task/${task.id}`,
    data: { from: task.status, resumesTo: task.resumesTo },
  });
  const fresh: TaskRecord = {
    ...task,
    attemptLimit: task.attemptCount + task.spec.constraints.maxAttempts,
    hostRepeats: 0,
    reason: null,
    resumesTo: null,
    integration: 'none',
  };
  const resumesTo =
    task.status === 'blocked'
      ? (task.resumesTo ?? 'assigned')
      : task.attemptCount === 0
        ? 'created'
        : 'assigned';
  const last = task.attempts.at(-1);
  if (task.status === 'blocked' && resumesTo === 'assigned' && last) {
    // The host kept the coder from working: that used no attempt, so the same one is made again.
    const again = changeAttempt(fresh, { failure: null, finishedAt: null });
    const saved = await saveMoved(context, tx, again, 'assigned', { actor });
    const former = task.attempts.findLast((attempt) => attempt.verdict !== null)?.verdict ?? null;
    const reason = task.evidenceReason;
    await enqueueCodeJob(context, tx, saved, reason === null ? null : { reason, verdict: former });
    return;
  }
  if (resumesTo === 'assigned') {
    await assignTask(context, tx, fresh, {
      actor,
      // A rolled-back task begins anew from main, which no longer holds it.
      startCommit: task.status === 'rolled_back' ? null : (last?.commit ?? null),
      evidence: { reason: task.reason ?? `a person asked for another try`, verdict: last?.verdict ?? null },
    });
    return;
  }
  const moved = await tx.tasks.save({ ...moveTask(fresh, resumesTo), updatedAt: now(context) });
  if (resumesTo === 'complete') await testOrGoOn(context, tx, moved, actor);
  if (resumesTo === 'verified') await queueForMain(tx, moved);
}

async function reviveDependents(
  context: AppContext,
  tx: StoreTransaction,
  task: TaskRecord,
  actor: string,
): Promise<void> {
  const all = await tx.tasks.listOfProject(task.project);
  const waiting = dependentsOf(all, new Set([task.id]));
  for (const other of all) {
    if (!waiting.has(other.id) || other.status !== 'blocked' || other.resumesTo !== 'created') continue;
    await tx.tasks.save({
      ...moveTask(other, 'created'),
      reason: null,
      resumesTo: null,
      updatedAt: now(context),
    });
    await record(context, tx, {
      actor,
      type: 'task.retried',
      subject: `task/${other.id}`,
      data: { dependency: task.id },
    });
    if (other.storyId !== task.storyId) await rollUp(context, tx, other.storyId, actor);
  }
}
