import type { AppContext } from '../app/context.ts';
import { record, transact } from '../app/context.ts';
import { KEPT_RELEASES } from '../app/follow-topology.ts';
import { earlierReleases } from '../app/roll-back.ts';
import { moveRelease } from '../domain/lifecycles.ts';
import { isoOf } from '../ports/clock.ts';
import type { ReleaseRecord } from '../ports/records.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** A submission is repeated within seconds; a week covers a laptop that slept. */
const IDEMPOTENCY_KEPT_MS = 7 * DAY_MS;
/** Evidence of finished tasks: long enough to look back a month. */
export const ARTIFACTS_KEPT_MS = 30 * DAY_MS;

/** Lets go of what is no longer kept: old releases, old artifacts and logs, old idempotency keys. */
export async function retain(context: AppContext): Promise<void> {
  const duties: Record<string, () => Promise<unknown>> = {
    'old releases': () => dropOldReleases(context),
    'old settings': () => dropOldSettings(context),
    'old evidence': () => dropOldEvidence(context),
    'old idempotency keys': () =>
      transact(context, (tx) =>
        tx.idempotency.removeOlderThan(isoOf(context.clock.nowMs() - IDEMPOTENCY_KEPT_MS)),
      ),
  };
  for (const [what, drop] of Object.entries(duties)) {
    await drop().catch((error: unknown) =>
      context.log('warn', `${what} could not be dropped`, { error: String(error) }),
    );
  }
}

/** Below the limit no lease is given, and `status` says so; what runs goes on. */
export async function watchDisk(context: AppContext, onSpace: () => void): Promise<void> {
  const free = await context.files.freeSpace();
  const had = context.observations.warnings.has('disk');
  if (free < context.settings.minFreeSpace) {
    context.observations.warnings.set(
      'disk',
      `only ${(free * 100).toFixed(1)} % of the disk is free: no new work is started below ${context.settings.minFreeSpace * 100} %; free some space`,
    );
    if (!had) context.log('warn', 'little disk space: no new leases', { free });
  } else if (had) {
    context.observations.warnings.delete('disk');
    context.log('info', 'disk space is back: leases again', { free });
    onSpace();
  }
}

async function dropOldReleases(context: AppContext): Promise<void> {
  const environments = await context.store.read((reader) => reader.environments.list());
  for (const { project, name } of environments) {
    const dropped = await transact(context, async (tx) => {
      const environment = await tx.environments.get({ project, name });
      const live = environment?.liveReleaseId ? await tx.releases.get(environment.liveReleaseId) : null;
      if (!live) return [];
      const { traffic } = context.observations;
      // Whoever still has a WebSocket on an old release keeps it; a later turn takes it.
      const surplus = (await earlierReleases(tx, live))
        .slice(KEPT_RELEASES)
        .filter((release) => (traffic.get(release.id)?.openCount ?? 0) === 0);
      for (const release of surplus) {
        await tx.releases.save(moveRelease(release, 'stopped'));
        await record(context, tx, {
          actor: 'system',
          type: 'release.stopped',
          subject: `release/${release.id}`,
          data: { project, environment: name, why: `only ${KEPT_RELEASES} earlier releases are kept` },
        });
      }
      if (surplus.length > 0) await tx.topology.bump();
      return surplus;
    });
    for (const release of dropped) {
      context.observations.forgetRelease(release.id);
      await context.logs.remove({ kind: 'release', id: release.id });
    }
  }
}

/** A version stays as long as a release could run with it again. */
async function dropOldSettings(context: AppContext): Promise<void> {
  const environments = await context.store.read((reader) => reader.environments.list());
  for (const { project, name } of environments) {
    await transact(context, async (tx) => {
      const key = { project, environment: name };
      const environment = await tx.environments.get({ project, name });
      const releases = await tx.releases.listOfEnvironment(key);
      const kept = new Set(releases.filter(mayRunAgain).map((release) => release.settingsVersion));
      kept.add(environment?.settings.version ?? 0);
      for (const { number } of await tx.settings.listOfEnvironment(key)) {
        if (!kept.has(number)) await tx.settings.remove({ ...key, number });
      }
    });
  }
}

function mayRunAgain({ status, liveOrder }: ReleaseRecord): boolean {
  return status !== 'stopped' && (status !== 'refused' || liveOrder !== null);
}

async function dropOldEvidence(context: AppContext): Promise<void> {
  const before = isoOf(context.clock.nowMs() - ARTIFACTS_KEPT_MS);
  const tasks = await context.store.read((reader) => reader.tasks.list({ limit: 1000 }));
  for (const task of tasks) {
    const settled =
      task.integration === 'landed' || ['failed', 'cancelled', 'rolled_back'].includes(task.status);
    if (!settled || task.updatedAt > before) continue;
    const { artifacts, jobs } = await context.store.read(async (reader) => ({
      artifacts: await reader.artifacts.listOfTask(task.id),
      jobs: await reader.jobs.listOfTask(task.id),
    }));
    for (const artifact of artifacts) {
      // The file first: a record without a file is dropped at the next turn, a file without a record never.
      await context.artifacts.remove(artifact);
      await transact(context, (tx) => tx.artifacts.remove(artifact.id));
    }
    for (const job of jobs) await context.logs.remove({ kind: 'job', id: job.id });
  }
}
