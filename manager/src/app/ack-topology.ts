import type { TopologyAck } from '@dbox/contracts';
import { judgeWithSmoke } from '../domain/verdict.ts';
import type { ProjectRecord, ReleaseRecord } from '../ports/records.ts';
import type { StoreTransaction } from '../ports/store.ts';
import { ownAndFailed } from './complete-deploy.ts';
import type { AppContext } from './context.ts';
import { now, record, transact } from './context.ts';
import { landTask, saveCheckStatus } from './land-task.ts';
import { saveMovedRelease } from './release-steps.ts';
import { settleSettings } from './settings-steps.ts';
import { isLanded } from './story-steps.ts';
import { changeAttempt, loadProject, saveMoved } from './task-steps.ts';

/**
 * The gateway serves this revision: whatever it was asked to switch to is live now, and main
 * becomes it. Acknowledging twice, or late, changes nothing more.
 */
export async function ackTopology(context: AppContext, ack: TopologyAck): Promise<void> {
  const { baking, moved } = await context.store.read(async (reader) => ({
    baking: (await reader.releases.listBaking()).filter(
      (release) => release.routeRevision !== null && release.routeRevision <= ack.revision,
    ),
    moved: (await reader.environments.list()).filter((environment) =>
      ack.listeners.some((one) => isOf(one, environment) && one.port !== environment.port),
    ),
  }));
  for (const { project, name } of moved) {
    const port = ack.listeners.find((one) => one.project === project && one.environment === name)!.port;
    await transact(context, async (tx) => {
      const environment = await tx.environments.get({ project, name });
      if (!environment || environment.port === port) return;
      await tx.environments.save({ ...environment, port });
      await tx.topology.bump();
      await record(context, tx, {
        actor: 'gateway',
        type: 'environment.moved',
        subject: `environment/${project}/${name}`,
        data: { from: environment.port, to: port, why: 'the port was taken' },
      });
    });
    context.observations.warnings.set(
      `port:${project}/${name}`,
      `the port asked for ${project}/${name} is taken; it is served on ${port}`,
    );
  }
  for (const { id } of baking) {
    const taken = await transact(context, async (tx) => {
      const release = await tx.releases.get(id);
      return release?.status === 'baking' ? await goLive(context, tx, release) : null;
    });
    if (taken) remember(context, id, taken);
  }
}

function isOf(
  listener: { readonly project: string; readonly environment: string },
  environment: { readonly project: string; readonly name: string },
): boolean {
  return listener.project === environment.project && listener.environment === environment.name;
}

interface Taken {
  /** The release that lost the traffic; null where none had it. */
  readonly formerId: string | null;
  readonly isBack: boolean;
}

/** Who serves now, and who runs on beside it. What is given back to is not new: it has been judged before. */
function remember({ observations, clock }: AppContext, id: string, { formerId, isBack }: Taken): void {
  observations.warm.delete(id);
  observations.takers.delete(id);
  if (observations.routed.delete(id) && !isBack)
    observations.takers.set(id, { formerId, sinceMs: clock.nowMs(), isJudged: false });
  if (formerId === null) return;
  observations.forgetWatch(formerId);
  observations.warm.add(formerId);
}

async function goLive(context: AppContext, tx: StoreTransaction, release: ReleaseRecord): Promise<Taken> {
  const actor = 'gateway';
  const environment = await tx.environments.get({ project: release.project, name: release.environment });
  const project = await loadProject(tx, release.project);
  if (!environment) throw new Error(`environment ${release.environment} of ${release.project} is gone`);

  const formerId = environment.liveReleaseId;
  if (formerId !== null && formerId !== release.id) {
    const former = await tx.releases.get(formerId);
    const to = release.trigger === 'rollback' ? 'rolled_back' : 'superseded';
    if (former) await saveMovedRelease(context, tx, former, to, actor);
  }
  await tx.environments.save({
    ...environment,
    liveReleaseId: release.id,
    health: 'unknown',
    settings: await settleSettings(context, tx, environment, release, actor),
  });
  if (release.trigger === 'rollback') await finishRollback(context, tx, project, release, actor);
  // The same commit: neither main nor any task moves.
  else if (release.trigger === 'settings') await tx.projects.save({ ...project, work: null });
  else await finishTask(context, tx, project, release, actor);
  const live = (await tx.checks.listOfProject(release.project)).filter((check) => check.status === 'live');
  const held = (await tx.tasks.listOfProject(release.project)).filter(isLanded);
  await saveMovedRelease(
    context,
    tx,
    {
      ...release,
      liveAt: now(context),
      liveOrder: (await tx.events.head())?.seq ?? 0,
      checkIds: live.map((check) => check.id),
      taskIds: release.trigger === 'task' ? held.map((task) => task.id) : release.taskIds,
    },
    'live',
    actor,
  );
  await tx.topology.bump();
  return { formerId: formerId === release.id ? null : formerId, isBack: release.trigger === 'rollback' };
}

async function finishTask(
  context: AppContext,
  tx: StoreTransaction,
  project: ProjectRecord,
  release: ReleaseRecord,
  actor: string,
): Promise<void> {
  const task = release.taskId === null ? null : await tx.tasks.get(release.taskId);
  if (!task) return;
  const verdict = judgeWithSmoke(task.attempts.at(-1)?.verdict ?? null, ownAndFailed(task, release.checks));
  const judged = changeAttempt(task, { verdict, finishedAt: now(context) });
  // A task with addresses alone is verified by the very smoke test that let its release in.
  const verified =
    task.status === 'complete'
      ? await saveMoved(context, tx, judged, 'verified', {
          actor,
          data: { commit: release.commit, by: 'smoke test' },
        })
      : judged;
  const deployed = await saveMoved(context, tx, verified, 'deployed', {
    actor,
    data: { commit: release.commit, release: release.id },
  });
  await landTask(context, tx, { project, task: deployed, mainCommit: release.mainAfter, actor });
}

/** Main, checks and tasks go back with the release to what they were when it was live. */
async function finishRollback(
  context: AppContext,
  tx: StoreTransaction,
  project: ProjectRecord,
  release: ReleaseRecord,
  actor: string,
): Promise<void> {
  await tx.projects.save({ ...project, mainCommit: release.mainAfter, work: null });
  await record(context, tx, {
    actor,
    type: 'main.moved',
    subject: `project/${project.name}`,
    data: { from: project.mainCommit, to: release.mainAfter, rollbackTo: release.id },
  });
  const then = new Set(release.checkIds);
  for (const check of await tx.checks.listOfProject(project.name)) {
    const to = then.has(check.id) ? 'live' : check.status === 'live' ? 'proposed' : check.status;
    if (to !== check.status) await saveCheckStatus(context, tx, check, { to, actor, rollbackTo: release.id });
  }
  const held = new Set(release.taskIds);
  for (const task of await tx.tasks.listOfProject(project.name)) {
    if (isLanded(task) && !held.has(task.id) && task.spec.environment === release.environment) {
      await saveMoved(
        context,
        tx,
        { ...task, reason: `rolled back to release ${release.id}` },
        'rolled_back',
        { actor },
      );
    } else if (task.status === 'rolled_back' && held.has(task.id)) {
      await saveMoved(context, tx, { ...task, reason: null }, 'deployed', {
        actor,
        data: { release: release.id },
      });
    }
  }
}
