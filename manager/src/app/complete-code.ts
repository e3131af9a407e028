import type { CodeResult, JobPayload, Verdict } from '@dbox/contracts';
import { judge } from '../domain/verdict.ts';
import type { JobRecord, TaskRecord } from '../ports/records.ts';
import type { StoreTransaction } from '../ports/store.ts';
import type { AppContext } from './context.ts';
import { now, record } from './context.ts';
import { enqueueJob } from './job-steps.ts';
import { evidenceOf } from './task-evidence.ts';
import {
  blockTask,
  changeAttempt,
  enqueueCodeJob,
  failTask,
  loadProject,
  MAX_HOST_REPEATS,
  queueForMain,
  reworkTask,
  saveMoved,
} from './task-steps.ts';
import { isTrusted } from './trust.ts';

/** The coder is done, or could not do it. */
export async function completeCode(
  context: AppContext,
  tx: StoreTransaction,
  job: JobRecord,
  result: CodeResult,
): Promise<void> {
  const task = job.taskId === null ? null : await tx.tasks.get(job.taskId);
  if (task?.status !== 'in_progress') return;
  const actor = `agent/${job.agentId}`;
  if (result.outcome === 'succeeded') return acceptAttempt(context, tx, task, result, actor);

  const failed = changeAttempt(
    { ...task, engine: result.engine },
    { engine: result.engine, failure: result.detail },
  );
  if (result.cause === 'final') {
    await failTask(context, tx, failed, { actor, reason: result.detail });
  } else if (result.cause === 'commit') {
    await reworkTask(context, tx, failed, {
      actor,
      reason: result.detail,
      verdict: lastVerdict(task),
      startCommit: task.startCommit,
    });
  } else if (task.hostRepeats + 1 >= MAX_HOST_REPEATS) {
    await blockTask(context, tx, failed, { actor, reason: result.detail, resumesTo: 'assigned' });
  } else {
    const again = await saveMoved(context, tx, { ...task, hostRepeats: task.hostRepeats + 1 }, 'assigned', {
      actor,
      data: { because: result.detail },
    });
    const reason = task.evidenceReason;
    await enqueueCodeJob(context, tx, again, reason === null ? null : { reason, verdict: lastVerdict(task) });
  }
}

async function acceptAttempt(
  context: AppContext,
  tx: StoreTransaction,
  task: TaskRecord,
  result: Extract<CodeResult, { outcome: 'succeeded' }>,
  actor: string,
): Promise<void> {
  await record(context, tx, {
    actor,
    type: 'attempt.committed',
    subject: `task/${task.id}`,
    data: {
      attempt: task.attemptCount,
      commit: result.commit,
      engine: result.engine,
      summary: result.summary.slice(0, 2000),
    },
  });
  const complete = await saveMoved(
    context,
    tx,
    changeAttempt(
      { ...task, commit: result.commit, engine: result.engine, hostRepeats: 0 },
      { commit: result.commit, engine: result.engine, finishedAt: now(context) },
    ),
    'complete',
    { actor, data: { commit: result.commit } },
  );
  await testOrGoOn(context, tx, complete, actor);
}

/** Tests and command checks come first; a task that has only addresses is judged by its release. */
export async function testOrGoOn(
  context: AppContext,
  tx: StoreTransaction,
  task: TaskRecord,
  actor: string,
): Promise<void> {
  const evidence = evidenceOf(task);
  if (evidence.needsTestJob) {
    await enqueueTestJob(context, tx, task, { purpose: 'attempt', commit: task.commit! });
    return;
  }
  if (evidence.pendingChecks > 0) {
    await queueForMain(tx, task);
    return;
  }
  const { verdict } = judge({ tests: [], checks: [], changedTestFiles: [], pendingChecks: 0 });
  await reworkTask(context, tx, changeAttempt(task, { verdict }), {
    actor,
    reason: `${verdict.summary}; give the task \`tests\` or \`acceptance\``,
    verdict,
    startCommit: task.commit,
  });
}

export async function enqueueTestJob(
  context: AppContext,
  tx: StoreTransaction,
  task: TaskRecord,
  test: { readonly purpose: 'attempt' | 'candidate'; readonly commit: string },
): Promise<void> {
  const project = await loadProject(tx, task.project);
  const environment = await tx.environments.get({ project: task.project, name: task.spec.environment });
  const checks = (await tx.checks.listOfProject(task.project)).filter(
    (check) =>
      check.criterion.kind === 'command' && check.status !== 'retired' && evidenceOf(task).owns(check),
  );
  const payload: JobPayload = {
    kind: 'test',
    taskId: task.id,
    attempt: task.attemptCount,
    purpose: test.purpose,
    commit: test.commit,
    baseCommit: project.mainCommit,
    tests: task.spec.tests,
    checks: checks.map(({ version: _, ...check }) => check),
    artifacts: task.spec.artifacts,
    maxMinutes: task.spec.constraints.maxMinutes,
    network: task.spec.constraints.network,
    trusted: await isTrusted(tx, project, task),
    devUrl: environment?.liveReleaseId ? `http://${context.settings.gatewayHost}:${environment.port}` : null,
  };
  await enqueueJob(context, tx, {
    payload,
    project: task.project,
    taskId: task.id,
    priority: task.spec.priority,
  });
}

function lastVerdict(task: TaskRecord): Verdict | null {
  return task.attempts.findLast((attempt) => attempt.verdict !== null)?.verdict ?? null;
}
