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
  if (live && seen.type === 'exited' && seen.gaveUp) {
    await actOnIncident(context, {
      releaseId,
      fingerprint: 'process',
      detail: `the process keeps ending (exit code ${seen.exitCode ?? 'none'}, signal ${seen.signal ?? 'none'}): ${seen.outputTail.slice(-500)}`,
      restartsSpent: true,
    });
  }
}
