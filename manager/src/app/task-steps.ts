import type { Attempt, JobPayload, TaskStatus, Verdict } from '@dbox/contracts';
import { moveTask } from '../domain/lifecycles.ts';
import { dependentsOf } from '../domain/plan-graph.ts';
import type { ProjectRecord, TaskRecord } from '../ports/records.ts';
import type { StoreReader, StoreTransaction } from '../ports/store.ts';
import type { AppContext } from './context.ts';
import { now, record } from './context.ts';
import { enqueueJob, withdrawJobs } from './job-steps.ts';
import { rollUp } from './story-steps.ts';

/*
 * The moves of a task that several use cases share. Each runs inside the caller's transaction,
 * saves the task, and appends the event that tells of it.
 */

export const MAX_HOST_REPEATS = 3;

interface Move {
  readonly actor: string;
  readonly data?: Parameters<typeof record>[2]['data'];
}

export async function saveMoved(
  context: AppContext,
  tx: StoreTransaction,
  task: TaskRecord,
  to: TaskStatus,
  move: Move,
): Promise<TaskRecord> {
  const saved = await tx.tasks.save({ ...moveTask(task, to), updatedAt: now(context) });
  await record(context, tx, {
    actor: move.actor,
    type: `task.${to}`,
    subject: `task/${task.id}`,
    data: { story: task.storyId, project: task.project, attempt: task.attemptCount, ...move.data },
  });
  return saved;
}

export function changeAttempt(task: TaskRecord, change: Partial<Attempt>): TaskRecord {
  const attempts = task.attempts.map((attempt) =>
    attempt.n === task.attemptCount ? { ...attempt, ...change } : attempt,
  );
  return { ...task, attempts };
}

/** Begins the next attempt: the coder may take it at once. */
export async function assignTask(
  context: AppContext,
  tx: StoreTransaction,
  task: TaskRecord,
  next: Move & {
    /** What it starts from; null is main. */
    readonly startCommit: string | null;
    readonly evidence: { readonly reason: string; readonly verdict: Verdict | null } | null;
  },
): Promise<TaskRecord> {
  const project = await loadProject(tx, task.project);
  const n = task.attemptCount + 1;
  const startCommit = next.startCommit ?? project.mainCommit;
  const attempt: Attempt = {
    n,
    baseCommit: startCommit,
    commit: null,
    engine: null,
    verdict: null,
    failure: null,
    startedAt: now(context),
    finishedAt: null,
  };
  const saved = await saveMoved(
    context,
    tx,
    {
      ...task,
      attemptCount: n,
      attempts: [...task.attempts, attempt],
      startCommit,
      evidenceReason: next.evidence?.reason ?? null,
      reason: null,
      resumesTo: null,
      integration: 'none',
      integrationOrder: null,
      candidateCommit: null,
      hostRepeats: 0,
    },
    'assigned',
    { actor: next.actor, data: { attempt: n, ...(next.evidence ? { because: next.evidence.reason } : {}) } },
  );
  await enqueueCodeJob(context, tx, saved, next.evidence);
  return saved;
}

/** The coder's job for the task's present attempt; also how a job is repeated that the host made fail. */
export async function enqueueCodeJob(
  context: AppContext,
  tx: StoreTransaction,
  task: TaskRecord,
  evidence: { readonly reason: string; readonly verdict: Verdict | null } | null,
): Promise<void> {
  const project = await loadProject(tx, task.project);
  const checks = (await tx.checks.listOfProject(task.project)).filter(
    (check) => check.taskId === task.id || check.status === 'live',
  );
  const payload: JobPayload = {
    kind: 'code',
    task: task.spec,
    storyText: task.storyText,
    attempt: task.attemptCount,
    startCommit: task.startCommit,
    mainCommit: project.mainCommit,
    engine: task.spec.inputs.some((input) => input.type === 'scripted') ? 'scripted' : 'template',
    checks: checks.map(({ version: _, ...check }) => check),
    evidence,
  };
  await enqueueJob(context, tx, {
    payload,
    project: task.project,
    taskId: task.id,
    priority: task.spec.priority,
  });
}

/** The attempt was not good enough: the next one, or the end where none is left. */
export async function reworkTask(
  context: AppContext,
  tx: StoreTransaction,
  task: TaskRecord,
  rework: Move & {
    readonly reason: string;
    readonly verdict: Verdict | null;
    readonly startCommit: string | null;
  },
): Promise<TaskRecord> {
  await freeProject(tx, task);
  const ended = changeAttempt(task, { finishedAt: now(context) });
  if (task.attemptCount >= task.attemptLimit) {
    const tries = task.attemptLimit === 1 ? 'the only attempt' : `all ${task.attemptLimit} attempts`;
    return failTask(context, tx, ended, {
      actor: rework.actor,
      reason: `${tries} used; the last: ${rework.reason}`,
    });
  }
  return assignTask(context, tx, ended, {
    actor: rework.actor,
    startCommit: rework.startCommit,
    evidence: { reason: rework.reason, verdict: rework.verdict },
  });
}

export async function failTask(
  context: AppContext,
  tx: StoreTransaction,
  task: TaskRecord,
  failure: Move & { readonly reason: string },
): Promise<TaskRecord> {
  await freeProject(tx, task);
  await withdrawJobs(context, tx, task.id, failure.actor);
  const saved = await saveMoved(
    context,
    tx,
    {
      ...changeAttempt(task, { finishedAt: now(context) }),
      reason: failure.reason,
      integration: 'none',
      integrationOrder: null,
    },
    'failed',
    { actor: failure.actor, data: { reason: failure.reason } },
  );
  await blockDependents(context, tx, saved, failure.actor);
  await rollUp(context, tx, task.storyId, failure.actor);
  return saved;
}

/** Waits for a person, who repairs what is outside of the code and says `retry`. */
export async function blockTask(
  context: AppContext,
  tx: StoreTransaction,
  task: TaskRecord,
  block: Move & {
    readonly reason: string;
    readonly resumesTo: 'created' | 'assigned' | 'complete' | 'verified';
  },
): Promise<TaskRecord> {
  await freeProject(tx, task);
  const saved = await saveMoved(
    context,
    tx,
    {
      ...task,
      reason: block.reason,
      resumesTo: block.resumesTo,
      integration: 'none',
      integrationOrder: null,
    },
    'blocked',
    { actor: block.actor, data: { reason: block.reason, resumesTo: block.resumesTo } },
  );
  await blockDependents(context, tx, saved, block.actor);
  await rollUp(context, tx, task.storyId, block.actor);
  return saved;
}

/** A finished attempt joins the queue into main. The order is the order of the events. */
export async function queueForMain(tx: StoreTransaction, task: TaskRecord): Promise<TaskRecord> {
  const head = await tx.events.head();
  return tx.tasks.save({ ...task, integration: 'waiting', integrationOrder: head?.seq ?? 0 });
}

/** What needs this task, directly or not, cannot start: it says so, and does not look as if it moved. */
export async function blockDependents(
  context: AppContext,
  tx: StoreTransaction,
  dead: TaskRecord,
  actor: string,
): Promise<void> {
  const all = await tx.tasks.listOfProject(dead.project);
  const waiting = dependentsOf(all, new Set([dead.id]));
  const reason = dead.status === 'blocked' ? 'dependency_blocked' : 'dependency_failed';
  const stories = new Set<string>();
  for (const task of all) {
    if (!waiting.has(task.id) || task.status !== 'created') continue;
    await saveMoved(
      context,
      tx,
      { ...task, reason: `${reason}: ${dead.id} is ${dead.status}`, resumesTo: 'created' },
      'blocked',
      { actor, data: { reason, dependency: dead.id } },
    );
    stories.add(task.storyId);
  }
  for (const storyId of stories) await rollUp(context, tx, storyId, actor);
}

/** Main may move for somebody else again. */
export async function freeProject(
  tx: StoreTransaction,
  task: { readonly id: string; readonly project: string },
): Promise<void> {
  const project = await loadProject(tx, task.project);
  if (project.work?.kind === 'task' && project.work.taskId === task.id) {
    await tx.projects.save({ ...project, work: null });
  }
}

export async function loadProject(tx: Pick<StoreReader, 'projects'>, name: string): Promise<ProjectRecord> {
  const project = await tx.projects.get(name);
  if (!project) throw new Error(`project ${name} is gone`);
  return project;
}
