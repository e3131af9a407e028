import { isDeepStrictEqual } from 'node:util';
import type { ReleaseObservation } from '@dbox/contracts';
import { actOnIncident } from './act-on-incident.ts';
import type { AppContext } from './context.ts';
import { record, transact } from './context.ts';

/** What the deployment agent saw of a release outside of a job: it started again, ended, or was stopped. */
export async function observeRelease(
  context: AppContext,
  releaseId: string,
  seen: ReleaseObservation,
  actor: string,
): Promise<void> {
  if (seen.type === 'engine_event') return noteEngineEvent(context, releaseId, seen, actor);
  const live = await transact(context, async (tx) => {
    const release = await tx.releases.get(releaseId);
    if (!release) return false;
    await record(context, tx, {
      actor,
      type: `release.process_${seen.type}`,
      subject: `release/${releaseId}`,
      data:
        seen.type === 'exited'
          ? {
              exitCode: seen.exitCode,
              signal: seen.signal,
              gaveUp: seen.gaveUp,
              outputTail: seen.outputTail.slice(-2000),
            }
          : seen.type === 'started'
            ? { generation: seen.generation }
            : {},
    });
    if (seen.type === 'started' && !isDeepStrictEqual(release.target, seen.target)) {
      await tx.releases.save({ ...release, target: seen.target });
      const environment = await tx.environments.get({ project: release.project, name: release.environment });
      if (environment?.routedReleaseId === releaseId) await tx.topology.bump();
    }
    return release.status === 'live';
  });
  if (seen.type === 'stopped' || seen.type === 'exited') context.observations.warm.delete(releaseId);
  if (live && seen.type === 'exited' && seen.gaveUp) {
    await actOnIncident(context, {
      releaseId,
      fingerprint: 'process',
      detail: `the process keeps ending (exit code ${seen.exitCode ?? 'none'}, signal ${seen.signal ?? 'none'}): ${seen.outputTail.slice(-500)}`,
      restartsSpent: true,
    });
  }
}

/** A container that is killed again and again must not fill the ledger. */
const MAX_ENGINE_EVENTS = 20;
const ENGINE_EVENTS_WINDOW_MS = 60 * 60 * 1000;

async function noteEngineEvent(
  context: AppContext,
  releaseId: string,
  seen: Extract<ReleaseObservation, { type: 'engine_event' }>,
  actor: string,
): Promise<void> {
  const nowMs = context.clock.nowMs();
  const known = context.observations.engineEvents.get(releaseId);
  const isNew = known === undefined || Math.abs(nowMs - known.sinceMs) >= ENGINE_EVENTS_WINDOW_MS;
  const window = isNew ? { sinceMs: nowMs, count: 0 } : known;
  if (window.count >= MAX_ENGINE_EVENTS) return;
  const count = window.count + 1;
  const isWritten = await transact(context, async (tx) => {
    if (!(await tx.releases.get(releaseId))) return false;
    await record(context, tx, {
      actor,
      type: 'release.engine_event',
      subject: `release/${releaseId}`,
      data: {
        action: seen.action,
        detail: seen.detail,
        ...(count === MAX_ENGINE_EVENTS
          ? { note: 'more of them are not written down within this hour' }
          : {}),
      },
    });
    return true;
  });
  if (isWritten) context.observations.engineEvents.set(releaseId, { ...window, count });
}
