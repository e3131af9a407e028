import type { Redactor, WatchReport } from '@dbox/contracts';
import { createRedactor, ProblemError } from '@dbox/contracts';
import type { CheckTrack } from '../domain/health.ts';
import { NEW_TRACK, overall, track } from '../domain/health.ts';
import { moveIncident } from '../domain/lifecycles.ts';
import type { ReleaseRecord } from '../ports/records.ts';
import type { StoreReader } from '../ports/store.ts';
import { actOnIncident } from './act-on-incident.ts';
import type { AppContext } from './context.ts';
import { now, record, transact } from './context.ts';
import { FIRST_TRAFFIC } from './judge-first-traffic.ts';
import { readReleaseSettings } from './read-release-settings.ts';

/** One round of checks: writes only what changed, so a healthy site leaves no trace each ten seconds. */
export async function reportWatch(context: AppContext, given: WatchReport): Promise<void> {
  const { observations } = context;
  const release = await context.store.read((reader) => reader.releases.get(given.releaseId));
  // A round that began before a switch says nothing of what is live now.
  if (release?.status !== 'live') return;
  const report = await withoutSettings(context, release, given);
  const former = observations.tracks.get(release.id) ?? new Map<string, CheckTrack>();
  const tracks = new Map<string, CheckTrack>();
  for (const result of report.results) {
    tracks.set(result.id, track(former.get(result.id) ?? NEW_TRACK, result));
    if (result.latencyMs !== null) observations.probeDurationsMs.set(release.id, result.latencyMs);
  }

  const health = overall([...tracks.values()]);
  const failing = [...tracks].find(([, one]) => one.health === 'unhealthy');
  await transact(context, async (tx) => {
    const key = { project: release.project, name: release.environment };
    const environment = await tx.environments.get(key);
    if (environment?.liveReleaseId !== release.id) return;
    for (const turn of await turnsOf(tx, release.project, report, former)) {
      await record(context, tx, {
        actor: 'monitoring',
        type: turn.ok ? 'check.passing' : 'check.failing',
        subject: `check/${turn.id}`,
        data: {
          project: key.project,
          environment: key.name,
          release: release.id,
          detail: turn.detail.slice(0, 1000),
        },
      });
    }
    if (health === 'unknown' || environment.health === health) return;
    await tx.environments.save({ ...environment, health });
    await record(context, tx, {
      actor: 'monitoring',
      type: `environment.${health}`,
      subject: `environment/${key.project}/${key.name}`,
      data: {
        release: release.id,
        ...(failing ? { check: failing[0], detail: failing[1].detail.slice(0, 1000) } : {}),
      },
    });
    if (health === 'healthy') {
      for (const incident of await tx.incidents.listOpenOfEnvironment({
        project: key.project,
        environment: key.name,
      })) {
        // The checks were green all the while: they cannot say that visitors fare better now.
        if (incident.fingerprint === FIRST_TRAFFIC && incident.releaseId === release.id) continue;
        await tx.incidents.save({ ...moveIncident(incident, 'resolved'), resolvedAt: now(context) });
        await record(context, tx, {
          actor: 'monitoring',
          type: 'incident.resolved',
          subject: `incident/${incident.id}`,
          data: { release: release.id },
        });
        observations.roundsSinceAction.delete(incident.id);
      }
    }
  });
  // Only now: a round that could not be written is told again by the next.
  observations.tracks.set(release.id, tracks);
  if (failing) {
    await actOnIncident(context, {
      releaseId: release.id,
      fingerprint: failing[0],
      detail: failing[1].detail,
      restartsSpent: false,
    });
  }
}

/**
 * The results that are news: the first round in which a check fails, the first good one after it,
 * and each round in which a log criterion matched, for every match is a line of its own.
 */
async function turnsOf(
  reader: Pick<StoreReader, 'checks'>,
  project: string,
  report: WatchReport,
  former: ReadonlyMap<string, CheckTrack>,
): Promise<WatchReport['results']> {
  const turns: WatchReport['results'] = [];
  for (const result of report.results) {
    const wasFailing = (former.get(result.id)?.failures ?? 0) > 0;
    if (result.ok ? wasFailing : !wasFailing) turns.push(result);
    else if (!result.ok && (await reader.checks.get({ project, id: result.id }))?.criterion.kind === 'log')
      turns.push(result);
  }
  return turns;
}

/** Whoever watches from outside knows no settings, so what a failing answer quotes of them is replaced here. */
async function withoutSettings(
  context: AppContext,
  { id, settingsVersion }: ReleaseRecord,
  report: WatchReport,
): Promise<WatchReport> {
  if (settingsVersion === 0 || report.results.every((result) => result.ok)) return report;
  const redact = await redactorOf(context, id);
  return { ...report, results: report.results.map((one) => ({ ...one, detail: redact(one.detail) })) };
}

async function redactorOf(context: AppContext, releaseId: string): Promise<Redactor> {
  try {
    return createRedactor((await readReleaseSettings(context, releaseId)).values);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    // The key is lost: then nothing can be told of what it quotes.
    return () => 'it failed; what was seen is not told, because the settings cannot be decrypted';
  }
}
