import type { TrafficStats } from '@dbox/contracts';
import type { AppContext } from './context.ts';
import { transact } from './context.ts';
import { judgeFirstTraffic } from './judge-first-traffic.ts';

/** What visitors got: kept in mind, and judged where a release has just taken the traffic. */
export async function reportTraffic(
  context: AppContext,
  report: { readonly startedAt: string; readonly releases: readonly TrafficStats[] },
): Promise<void> {
  const { observations } = context;
  const { drained } = observations;
  if (observations.gatewayStartedAt !== report.startedAt) {
    // All connections went with the gateway's former life.
    for (const [id, stats] of observations.traffic) if (stats.openCount > 0) drained.add(id);
    observations.traffic.clear();
    observations.gatewayStartedAt = report.startedAt;
  }
  for (const stats of report.releases) {
    const former = observations.traffic.get(stats.releaseId);
    if (stats.openCount > 0) drained.delete(stats.releaseId);
    else if (former && former.openCount > 0) drained.add(stats.releaseId);
    observations.traffic.set(stats.releaseId, stats);
  }
  await judgeFirstTraffic(context, report.releases);
  if (drained.size === 0) return;
  // Forgotten only once it is done: while the store is out, the next report asks again.
  const gone = new Set(drained);
  await letGo(context, gone);
  for (const id of gone) drained.delete(id);
}

/** A release that has lost the traffic is kept running for its last visitors; they have left. */
async function letGo(context: AppContext, drained: ReadonlySet<string>): Promise<void> {
  const isLeft = await context.store.read(async (reader) => {
    for (const id of drained) if ((await reader.releases.get(id))?.status === 'superseded') return true;
    return false;
  });
  if (isLeft) await transact(context, (tx) => tx.topology.bump());
}
