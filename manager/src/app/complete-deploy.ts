import type { CheckResult, DeployResult } from '@dbox/contracts';
import { doubtOf } from '../domain/settings-progress.ts';
import { judgeWithSmoke } from '../domain/verdict.ts';
import type { JobRecord, ProjectRecord, ReleaseRecord, TaskRecord } from '../ports/records.ts';
import type { StoreTransaction } from '../ports/store.ts';
import type { AppContext } from './context.ts';
import { record } from './context.ts';
import { routeTo, saveMovedRelease } from './release-steps.ts';
import { refuseSettings } from './settings-steps.ts';
import { evidenceOf } from './task-evidence.ts';
import {
  blockTask,
  changeAttempt,
  failTask,
  loadProject,
  MAX_HOST_REPEATS,
  reworkTask,
} from './task-steps.ts';

/** The release runs and passed its smoke test, so the gateway is asked to switch; or it is refused. */
export async function completeDeploy(
  context: AppContext,
  tx: StoreTransaction,
  job: JobRecord,
  result: DeployResult,
): Promise<void> {
  const release = job.releaseId === null ? null : await tx.releases.get(job.releaseId);
  if (!release || !['queued', 'building', 'starting', 'smoking'].includes(release.status)) return;
  const actor = `agent/${job.agentId}`;
  const project = await loadProject(tx, release.project);
  if (project.removedAt !== null) {
    const why = { ...release, reason: 'its project was removed' };
    await saveMovedRelease(context, tx, why, 'stopped', actor);
    return;
  }
  const unproven = result.outcome === 'succeeded' ? refuseUnproven(job.payload, result) : null;
  if (result.outcome === 'succeeded' && !unproven) {
    await switchTraffic(context, tx, release, result, actor);
    return;
  }
  await refuse(context, tx, project, release, unproven ?? (result as Failed), actor);
}

type Failed = Extract<DeployResult, { outcome: 'failed' }>;

/** Fails closed: a smoke test counts only where every check that was asked for is there and green. */
function refuseUnproven(
  payload: JobRecord['payload'],
  result: Extract<DeployResult, { outcome: 'succeeded' }>,
): Failed | null {
  if (payload.kind !== 'deploy') return null;
  const seen = new Map(result.checks.map((check) => [check.id, check]));
  const absent = payload.checks.find((check) => !seen.has(check.id));
  const red = result.checks.find((check) => check.outcome !== 'passed');
  if (!absent && !red) return null;
  const detail = red
    ? `the smoke test was reported as passed, but ${red.id} is ${red.outcome}: ${red.detail}`
    : `the smoke test was reported as passed without a result for ${absent!.id}`;
  const cause = red ? 'commit' : 'host';
  return {
    kind: 'deploy',
    outcome: 'failed',
    cause,
    phase: 'smoking',
    detail,
    checks: result.checks,
    outputTail: '',
  };
}

async function refuse(
  context: AppContext,
  tx: StoreTransaction,
  project: ProjectRecord,
  release: ReleaseRecord,
  result: Failed,
  actor: string,
): Promise<void> {
  const refused = await saveMovedRelease(
    context,
    tx,
    { ...release, reason: `${result.phase}: ${result.detail}`, checks: result.checks },
    'refused',
    actor,
  );
  await tx.topology.bump();
  if (release.trigger === 'rollback') {
    if (project.work?.kind === 'rollback' && project.work.releaseId === release.id) {
      await tx.projects.save({ ...project, work: null });
    }
    return;
  }
  if (release.trigger === 'settings') {
    await refuseSettings(context, tx, { project, release: refused, cause: result.cause, actor });
    return;
  }
  const task = release.taskId === null ? null : await tx.tasks.get(release.taskId);
  if (task?.integration === 'releasing') await takeBack(context, tx, task, refused, result, actor);
}

async function switchTraffic(
  context: AppContext,
  tx: StoreTransaction,
  release: ReleaseRecord,
  result: Extract<DeployResult, { outcome: 'succeeded' }>,
  actor: string,
): Promise<void> {
  // An agent that reports no phases, or whose reports were lost, has smoked all the same.
  const smoking = release.status === 'smoking' ? release : { ...release, status: 'smoking' as const };
  await routeTo(
    context,
    tx,
    {
      ...smoking,
      target: result.target,
      // Kept, so that a rollback to it runs the very same again.
      image: result.image,
      checks: result.checks,
      reason: null,
    },
    actor,
  );
}

/** The task learns why its release was refused; the old release has served all the while. */
async function takeBack(
  context: AppContext,
  tx: StoreTransaction,
  task: TaskRecord,
  release: ReleaseRecord,
  result: Failed,
  actor: string,
): Promise<void> {
  const key = { project: release.project, name: release.environment };
  const environment = await tx.environments.get(key);
  const doubt = environment && doubtOf(environment.settings, release.settingsVersion);
  const reason = `the release was refused while ${result.phase}: ${result.detail}${doubt ? ` (${doubt})` : ''}`;
  if (result.cause === 'host') {
    if (task.hostRepeats + 1 >= MAX_HOST_REPEATS) {
      const resumesTo = task.status === 'verified' ? 'verified' : 'complete';
      await blockTask(context, tx, task, { actor, reason, resumesTo });
    } else {
      await tx.tasks.save({ ...task, integration: 'tested', hostRepeats: task.hostRepeats + 1 });
    }
    return;
  }
  const verdict = judgeWithSmoke(
    task.attempts.at(-1)?.verdict ?? null,
    result.checks.length > 0 ? ownAndFailed(task, result.checks) : [],
  );
  const failed = {
    ...verdict,
    outcome: 'failed' as const,
    cause: null,
    summary: tail(`${reason}\n${result.outputTail}`),
  };
  await record(context, tx, {
    actor,
    type: 'verdict.given',
    subject: `task/${task.id}`,
    data: {
      attempt: task.attemptCount,
      purpose: 'smoke',
      commit: release.commit,
      outcome: 'failed',
      summary: reason.slice(0, 2000),
    },
  });
  const judged = changeAttempt(task, { verdict: failed });
  if (result.cause === 'final') {
    await failTask(context, tx, judged, { actor, reason });
  } else {
    await reworkTask(context, tx, judged, {
      actor,
      reason,
      verdict: failed,
      startCommit: task.candidateCommit,
    });
  }
}

/** Of all the project's checks, the task's verdict shows its own, and foreign ones only where they fail. */
export function ownAndFailed(task: TaskRecord, checks: readonly CheckResult[]): CheckResult[] {
  const own = evidenceOf(task);
  return checks.filter((check) => own.ownsId(check.id) || check.outcome !== 'passed');
}

function tail(text: string): string {
  return text.length <= 4000 ? text : `${text.slice(0, 2000)}\n[…]\n${text.slice(-2000)}`;
}
