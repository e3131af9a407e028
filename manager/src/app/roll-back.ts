import type { Answer } from '@dbox/contracts';
import { ProblemError } from '@dbox/contracts';
import { moveRelease } from '../domain/lifecycles.ts';
import type { ReleaseRecord } from '../ports/records.ts';
import type { StoreReader, StoreTransaction } from '../ports/store.ts';
import type { AppContext } from './context.ts';
import { now, record, transact } from './context.ts';
import { requireProject } from './project-steps.ts';
import { type Candidate, putBackCandidate, withdrawableCandidate } from './put-back-candidate.ts';
import { enqueueDeployJob, routeTo } from './release-steps.ts';
import { loadProject } from './task-steps.ts';
import { toWireRelease } from './views.ts';

/**
 * Begins to give the traffic back to an earlier release: it is started and smoked like any other,
 * with the checks of its own time, and main gets a commit with its tree. Settled when it is `live`,
 * or `refused`.
 *
 * In haste, when visitors fail now, the release before, which served well a moment ago and still runs,
 * gets the route in this very transaction; all else follows with the gateway's acknowledgement, as
 * always. A candidate on its way into main steps back for it: it was made for a main that goes.
 */
export async function rollBack(
  context: AppContext,
  wish: {
    readonly project: string;
    readonly environment: string;
    readonly releaseId: string | undefined;
    readonly actor: string;
    readonly why: string;
    readonly inHaste?: boolean;
    /** Only if this one is still live: what a person or the ladder looked at. */
    readonly fromReleaseId?: string;
    /** Written in the same transaction, or neither. */
    readonly also?: (tx: StoreTransaction) => Promise<void>;
  },
): Promise<NonNullable<Answer<'rollBack'>>> {
  const chosen = await context.store.read((reader) => choose(reader, wish));
  const mainAfter = await context.repositories.commitTreeOf({
    project: wish.project,
    treeOf: chosen.to.commit,
    parent: chosen.main,
    message: `Roll back to release ${chosen.to.id}\n\nThe tree is that of ${chosen.to.commit}.`,
    at: now(context),
  });
  return transact(context, async (tx) => {
    const { from, to, main, candidate } = await choose(tx, wish);
    if (to.id !== chosen.to.id || main !== chosen.main) {
      throw new ProblemError(
        'project_busy',
        `project ${wish.project} has just moved on; look at \`dbox releases\` and try again`,
      );
    }
    if (candidate) await putBackCandidate(context, tx, candidate, wish.actor);
    const project = await loadProject(tx, wish.project);
    await tx.projects.save({ ...project, work: { kind: 'rollback', releaseId: to.id } });
    await record(context, tx, {
      actor: wish.actor,
      type: 'rollback.started',
      subject: `release/${to.id}`,
      data: { project: wish.project, environment: wish.environment, from: from.id, to: to.id, why: wish.why },
    });
    const returning = { ...to, trigger: 'rollback' as const, mainAfter, routeRevision: null, reason: null };
    const stillRuns =
      to.status === 'superseded' && to.target !== null && context.observations.warm.has(to.id);
    const begun =
      wish.inHaste && stillRuns
        ? await routeTo(context, tx, returning, wish.actor)
        : await startAgain(context, tx, returning);
    await wish.also?.(tx);
    await tx.topology.bump();
    return { from: toWireRelease(from), to: toWireRelease(begun) };
  });
}

async function startAgain(
  context: AppContext,
  tx: StoreTransaction,
  release: ReleaseRecord,
): Promise<ReleaseRecord> {
  const queued = await tx.releases.save(moveRelease(release, 'queued'));
  const then = new Set(release.checkIds);
  const checks = (await tx.checks.listOfProject(release.project)).filter((check) => then.has(check.id));
  await enqueueDeployJob(context, tx, queued, checks, 'critical');
  return queued;
}

async function choose(
  reader: StoreReader,
  wish: {
    readonly project: string;
    readonly environment: string;
    readonly releaseId: string | undefined;
    readonly fromReleaseId?: string;
    readonly inHaste?: boolean;
  },
): Promise<{
  from: ReleaseRecord;
  to: ReleaseRecord;
  main: string;
  /** What must step back for it. */
  candidate: Candidate | null;
}> {
  const project = await requireProject(reader, wish.project);
  const environment = await reader.environments.get({ project: wish.project, name: wish.environment });
  const from = environment?.liveReleaseId ? await reader.releases.get(environment.liveReleaseId) : null;
  if (!from || project.mainCommit === null) {
    throw new ProblemError(
      'conflict',
      `nothing is live in ${wish.project}/${wish.environment}, so there is nothing to roll back`,
    );
  }
  if (wish.fromReleaseId !== undefined && from.id !== wish.fromReleaseId) {
    throw new ProblemError('conflict', `release ${wish.fromReleaseId} has no longer the traffic`);
  }
  const candidate = wish.inHaste ? await withdrawableCandidate(reader, project) : null;
  if (project.work && !candidate) {
    const what =
      project.work.kind === 'task'
        ? `task ${project.work.taskId} is being released`
        : project.work.kind === 'settings'
          ? 'changed settings are being released'
          : 'a rollback is under way';
    throw new ProblemError(
      'project_busy',
      `${what}; wait until it has settled (\`dbox status\`) and try again`,
    );
  }
  const earlier = await earlierReleases(reader, from);
  const to =
    wish.releaseId === undefined ? earlier[0] : earlier.find((release) => release.id === wish.releaseId);
  if (!to) {
    const kept = earlier.map((release) => release.id).join(', ');
    throw new ProblemError(
      wish.releaseId !== undefined && (await reader.releases.get(wish.releaseId)) === null
        ? 'not_found'
        : 'conflict',
      wish.releaseId === undefined
        ? `${wish.project}/${wish.environment} has no earlier release that is still kept`
        : `release ${wish.releaseId} cannot take the traffic of ${wish.project}/${wish.environment}; kept: ${kept || 'none'}`,
    );
  }
  return { from, to, main: project.mainCommit, candidate };
}

/**
 * Releases that were live and are kept, the latest good one first; then those that were rolled back,
 * and last those that failed to take the traffic back, maybe for a reason that has passed.
 */
export async function earlierReleases(reader: StoreReader, live: ReleaseRecord): Promise<ReleaseRecord[]> {
  const all = await reader.releases.listOfEnvironment({
    project: live.project,
    environment: live.environment,
  });
  const latestFirst = (a: ReleaseRecord, b: ReleaseRecord) => (b.liveOrder ?? 0) - (a.liveOrder ?? 0);
  const kept = (status: ReleaseRecord['status']) =>
    all
      .filter((release) => release.id !== live.id && release.status === status && release.liveOrder !== null)
      .sort(latestFirst);
  return [...kept('superseded'), ...kept('rolled_back'), ...kept('refused')];
}
