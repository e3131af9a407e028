import type { WatchReport } from '@dbox/contracts';
import type { CheckTrack } from '../domain/health.ts';
import { NEW_TRACK, overall, track } from '../domain/health.ts';
import { moveIncident } from '../domain/lifecycles.ts';
import { actOnIncident } from './act-on-incident.ts';
import type { AppContext } from './context.ts';
import { now, record, transact } from './context.ts';

/** One round of checks: writes only what changed, so a healthy site leaves no trace each ten seconds. */
export async function reportWatch(context: AppContext, report: WatchReport): Promise<void> {
  const { observations } = context;
  const release = await context.store.read((reader) => reader.releases.get(report.releaseId));
  // A round that began before a switch says nothing of what is live now.
  if (release?.status !== 'live') return;
  const tracks = observations.tracks.get(release.id) ?? new Map<string, CheckTrack>();
  observations.tracks.set(release.id, tracks);
  for (const result of report.results) {
    tracks.set(result.id, track(tracks.get(result.id) ?? NEW_TRACK, result));
    if (result.latencyMs !== null) observations.probeDurationsMs.set(release.id, result.latencyMs);
  }
  const seen = new Set(report.results.map((result) => result.id));
  for (const id of tracks.keys()) if (!seen.has(id)) tracks.delete(id);

  const health = overall([...tracks.values()]);
  const failing = [...tracks].find(([, one]) => one.health === 'unhealthy');
  await transact(context, async (tx) => {
    const key = { project: release.project, name: release.environment };
    const environment = await tx.environments.get(key);
    if (environment?.liveReleaseId !== release.id || health === 'unknown' || environment.health === health)
      return;
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
  if (failing) {
    await actOnIncident(context, {
      releaseId: release.id,
      fingerprint: failing[0],
      detail: failing[1].detail,
      restartsSpent: false,
    });
  }
}
