import { FIRST_TRAFFIC_MS, ProblemError, type TrafficStats } from '@dbox/contracts';
import { type AnswerCounts, countsOf, isWorse } from '../domain/first-traffic.ts';
import type { ReleaseRecord } from '../ports/records.ts';
import type { StoreTransaction } from '../ports/store.ts';
import { noteAction, openIncident } from './act-on-incident.ts';
import type { AppContext } from './context.ts';
import { transact } from './context.ts';
import { rollBack } from './roll-back.ts';

/** The fingerprint of an incident that visitors' own requests have shown. */
export const FIRST_TRAFFIC = 'first_traffic';

/** A report may have waited for a busy manager. */
const LATE_MS = 5_000;

/**
 * A release that has just taken the traffic and whose visitors fail, where those of the release before
 * did not, loses it at once: no check need see it. Only what both this manager and this gateway saw
 * take the traffic is judged, so that after a restart of either nothing is new.
 */
export async function judgeFirstTraffic(
  context: AppContext,
  releases: readonly TrafficStats[],
): Promise<void> {
  const { takers, traffic } = context.observations;
  for (const { releaseId, servingForMs, statuses } of releases) {
    const taker = takers.get(releaseId);
    if (!taker || taker.isJudged || servingForMs === null || servingForMs > FIRST_TRAFFIC_MS) continue;
    // A gateway that could not save its routes may take for a switch what is none.
    if (context.clock.nowMs() - taker.sinceMs > FIRST_TRAFFIC_MS + LATE_MS) continue;
    const fresh = countsOf(statuses);
    const former = countsOf((taker.formerId && traffic.get(taker.formerId)?.statuses) || {});
    if (!isWorse(fresh, former)) continue;
    const detail = evidence(fresh, taker.formerId === null ? null : former, servingForMs);
    taker.isJudged = await act(context, releaseId, taker.formerId, detail);
  }
}

function evidence(fresh: AnswerCounts, former: AnswerCounts | null, servingForMs: number): string {
  const seconds = (servingForMs / 1000).toFixed(1);
  const before =
    former === null
      ? 'no release served before it'
      : `of the release before it ${former.failures} of ${former.answers}`;
  return `${fresh.failures} of ${fresh.answers} requests of visitors failed (5xx or no answer) in its first ${seconds} s; ${before}`;
}

/** False where it could not be done now: the next report asks again. */
async function act(
  context: AppContext,
  releaseId: string,
  formerId: string | null,
  detail: string,
): Promise<boolean> {
  const release = await context.store.read((reader) => reader.releases.get(releaseId));
  if (release?.status !== 'live') return true;
  if (formerId === null) {
    await transact(context, async (tx) => {
      const present = await tx.releases.get(releaseId);
      if (present?.status === 'live') await incidentOf(context, tx, present, detail);
    });
    return true;
  }
  try {
    await rollBack(context, {
      project: release.project,
      environment: release.environment,
      releaseId: formerId,
      fromReleaseId: releaseId,
      actor: 'system',
      why: detail,
      inHaste: true,
      also: async (tx) => {
        const incident = await incidentOf(context, tx, release, detail);
        if (incident.status === 'escalated') return;
        await noteAction(context, tx, incident, { action: 'rollback', release: releaseId, detail });
      },
    });
    context.log('warn', `release ${releaseId} loses the traffic: ${detail}`);
    return true;
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    context.log('warn', `the rollback of ${releaseId} must wait`, { why: error.message, detail });
    return false;
  }
}

/** One incident an environment, whatever fails in it. */
async function incidentOf(context: AppContext, tx: StoreTransaction, release: ReleaseRecord, detail: string) {
  const { project, environment } = release;
  const open = (await tx.incidents.listOpenOfEnvironment({ project, environment }))[0];
  return (
    open ??
    (await openIncident(context, tx, release, { fingerprint: FIRST_TRAFFIC, detail, actor: 'gateway' }))
  );
}
