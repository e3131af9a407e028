import type { JobPayload, TestJobResult } from '@dbox/contracts';
import { judge } from '../domain/verdict.ts';
import type { JobRecord, TaskRecord } from '../ports/records.ts';
import type { StoreTransaction } from '../ports/store.ts';
import { enqueueTestJob } from './complete-code.ts';
import type { AppContext } from './context.ts';
import { record } from './context.ts';
import { evidenceOf } from './task-evidence.ts';
import {
  blockTask,
  changeAttempt,
  failTask,
  MAX_HOST_REPEATS,
  queueForMain,
  reworkTask,
  saveMoved,
} from './task-steps.ts';

/** The evidence is in: the manager, not the tester, says what it is worth. */
export async function completeTest(
  context: AppContext,
  tx: StoreTransaction,
  job: JobRecord,
  result: TestJobResult,
): Promise<void> {
  const task = job.taskId === null ? null : await tx.tasks.get(job.taskId);
  if (!task || job.payload.kind !== 'test') return;
  const { purpose, commit } = job.payload;
  const awaited = purpose === 'attempt' ? task.status === 'complete' : task.integration === 'testing';
  if (!awaited) return;
  const actor = `agent/${job.agentId}`;

  const omission = result.outcome === 'succeeded' ? findOmission(job.payload, result) : null;
  if (omission !== null) {
    await repeatOrBlock(context, tx, task, { purpose, commit, reason: omission, actor });
    return;
  }
  if (result.outcome === 'failed') {
    if (result.cause === 'final') {
      await failTask(context, tx, task, { actor, reason: result.detail });
    } else if (result.cause === 'commit') {
      await reworkTask(context, tx, task, {
        actor,
        reason: result.detail,
        verdict: null,
        startCommit: commit,
      });
    } else {
      await repeatOrBlock(context, tx, task, { purpose, commit, reason: result.detail, actor });
    }
    return;
  }

  const { outcome, verdict } = judge({
    tests: result.tests,
    checks: result.checks,
    changedTestFiles: result.changedTestFiles,
    pendingChecks: evidenceOf(task).pendingChecks,
  });
  const judged = changeAttempt(task, { verdict });
  await record(context, tx, {
    actor,
    type: 'verdict.given',
    subject: `task/${task.id}`,
    data: {
      attempt: task.attemptCount,
      purpose,
      commit,
      outcome,
      summary: verdict.summary.slice(0, 2000),
      changedTestFiles: verdict.changedTestFiles.slice(0, 100),
    },
  });
  if (outcome === 'could_not_run' && verdict.cause === 'host') {
    await repeatOrBlock(context, tx, judged, { purpose, commit, reason: verdict.summary, actor });
  } else if (outcome === 'failed' || outcome === 'could_not_run') {
    await reworkTask(context, tx, judged, { actor, reason: verdict.summary, verdict, startCommit: commit });
  } else if (purpose === 'candidate') {
    await tx.tasks.save({ ...judged, integration: 'tested', hostRepeats: 0 });
  } else {
    const settled =
      outcome === 'passed'
        ? await saveMoved(context, tx, { ...judged, hostRepeats: 0 }, 'verified', { actor, data: { commit } })
        : { ...judged, hostRepeats: 0 };
    await queueForMain(tx, settled);
  }
}

/** Fails closed: what was asked for and not answered might be the very thing that fails. */
function findOmission(
  asked: Extract<JobPayload, { kind: 'test' }>,
  result: Extract<TestJobResult, { outcome: 'succeeded' }>,
): string | null {
  const test = asked.tests.find(({ run }, index) => result.tests[index]?.run !== run);
  if (test) return `the testing agent sent no result for: ${test.run}`;
  const answered = new Set(result.checks.map((check) => check.id));
  const check = asked.checks.find(({ id }) => !answered.has(id));
  return check ? `the testing agent sent no result for ${check.id}` : null;
}

async function repeatOrBlock(
  context: AppContext,
  tx: StoreTransaction,
  task: TaskRecord,
  again: {
    readonly purpose: 'attempt' | 'candidate';
    readonly commit: string;
    readonly reason: string;
    readonly actor: string;
  },
): Promise<void> {
  if (task.hostRepeats + 1 >= MAX_HOST_REPEATS) {
    const resumesTo = task.status === 'verified' ? 'verified' : 'complete';
    await blockTask(context, tx, task, { actor: again.actor, reason: again.reason, resumesTo });
    return;
  }
  const saved = await tx.tasks.save({ ...task, hostRepeats: task.hostRepeats + 1 });
  await enqueueTestJob(context, tx, saved, again);
}
