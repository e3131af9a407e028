import type { JobPayload, ReleaseStatus, RunPlan } from '@dbox/contracts';
import { moveRelease } from '../domain/lifecycles.ts';
import { doubtOf } from '../domain/settings-progress.ts';
import type { ProjectRecord, ReleaseRecord, TaskRecord } from '../ports/records.ts';
import type { StoreTransaction } from '../ports/store.ts';
import type { AppContext } from './context.ts';
import { now, record } from './context.ts';
import { enqueueJob } from './job-steps.ts';
import { evidenceOf } from './task-evidence.ts';
import { isTrusted } from './trust.ts';

export async function saveMovedRelease(
  context: AppContext,
  tx: StoreTransaction,
  release: ReleaseRecord,
  to: ReleaseStatus,
  actor: string,
): Promise<ReleaseRecord> {
  const saved = await tx.releases.save(moveRelease(release, to));
  await record(context, tx, {
    actor,
    type: `release.${to}`,
    subject: `release/${release.id}`,
    data: {
      project: release.project,
      environment: release.environment,
      commit: release.commit,
      task: release.taskId,
      ...(release.reason ? { reason: release.reason.slice(0, 2000) } : {}),
    },
  });
  return saved;
}

/** Builds and offers a task's candidate. The project must be working on this task. */
export async function beginRelease(
  context: AppContext,
  tx: StoreTransaction,
  given: { readonly project: ProjectRecord; readonly task: TaskRecord; readonly runPlan: RunPlan },
): Promise<ReleaseRecord> {
  const { project, task, runPlan } = given;
  const commit = task.candidateCommit!;
  const environment = task.spec.environment;
  const { settings } = (await tx.environments.get({ project: project.name, name: environment }))!;
  const doubt = doubtOf(settings, settings.version);
  const release = await tx.releases.insert({
    id: context.ids.next('rel'),
    project: project.name,
    environment,
    commit,
    taskId: task.id,
    status: 'queued',
    runPlan,
    settingsVersion: settings.version,
    image: null,
    checks: [],
    reason: null,
    createdAt: now(context),
    liveAt: null,
    trusted: await isTrusted(tx, project, task),
    engine: task.engine,
    generation: 0,
    target: null,
    routeRevision: null,
    liveOrder: null,
    mainAfter: commit,
    checkIds: [],
    taskIds: [],
    trigger: 'task',
    version: 1,
  });
  await tx.tasks.save({ ...task, integration: 'releasing', releaseIds: [...task.releaseIds, release.id] });
  await record(context, tx, {
    actor: 'system',
    type: 'release.queued',
    subject: `release/${release.id}`,
    data: {
      project: project.name,
      environment,
      commit,
      task: task.id,
      settings: settings.version,
      ...(doubt === null ? {} : { doubt }),
    },
  });
  // A release is smoked with all live checks of its project, not only its task's.
  const retired = new Set(task.spec.retires);
  const checks = (await tx.checks.listOfProject(project.name)).filter(
    (check) =>
      !retired.has(check.id) &&
      (check.status === 'live' || (check.status === 'proposed' && evidenceOf(task).owns(check))),
  );
  await enqueueDeployJob(context, tx, release, checks, task.spec.priority);
  // The deployment agent keeps the tree of what the topology lists.
  await tx.topology.bump();
  return release;
}

/** The gateway is asked to switch to it; it is live on the acknowledgement. */
export async function routeTo(
  context: AppContext,
  tx: StoreTransaction,
  release: ReleaseRecord,
  actor: string,
): Promise<ReleaseRecord> {
  const environment = await tx.environments.get({ project: release.project, name: release.environment });
  if (!environment) throw new Error(`environment ${release.environment} of ${release.project} is gone`);
  await tx.environments.save({ ...environment, routedReleaseId: release.id });
  const revision = await tx.topology.bump();
  context.observations.routed.add(release.id);
  return saveMovedRelease(context, tx, { ...release, routeRevision: revision }, 'baking', actor);
}

export async function enqueueDeployJob(
  context: AppContext,
  tx: StoreTransaction,
  release: ReleaseRecord,
  checks: readonly { readonly criterion: { readonly kind: string } }[],
  priority: 'low' | 'medium' | 'high' | 'critical',
): Promise<void> {
  const payload: JobPayload = {
    kind: 'deploy',
    releaseId: release.id,
    project: release.project,
    environment: release.environment,
    commit: release.commit,
    runPlan: release.runPlan,
    checks: (checks as Extract<JobPayload, { kind: 'deploy' }>['checks']).filter(
      (check) => check.criterion.kind !== 'command',
    ),
    trigger: release.trigger,
    trusted: release.trusted,
    settingsVersion: release.settingsVersion,
    image: release.image,
  };
  await enqueueJob(context, tx, {
    payload,
    project: release.project,
    // Else it is no work of the task that once made the release: withdrawing that must not end it.
    taskId: release.trigger === 'task' ? release.taskId : null,
    releaseId: release.id,
    priority,
  });
}
