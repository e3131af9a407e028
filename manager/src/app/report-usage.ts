import type { ReleaseUsage } from '@dbox/contracts';
import type { AppContext } from './context.ts';

/** Some rounds of reporting; what was not told since runs no more, or nobody knows. */
const FRESH_FOR_MS = 60_000;

/** The newest of each release: known to the metrics and to `status`, and kept nowhere. */
export async function reportUsage(context: AppContext, releases: readonly ReleaseUsage[]): Promise<void> {
  const { usage } = context.observations;
  const atMs = context.clock.nowMs();
  for (const [releaseId, known] of usage) if (isStale(known.atMs, atMs)) usage.delete(releaseId);
  for (const release of releases) usage.set(release.releaseId, { ...release, atMs });
}

export function usageOf(context: AppContext, releaseId: string): ReleaseUsage | null {
  const known = context.observations.usage.get(releaseId);
  if (known === undefined || isStale(known.atMs, context.clock.nowMs())) return null;
  const { atMs: _, ...usage } = known;
  return usage;
}

function isStale(atMs: number, nowMs: number): boolean {
  return Math.abs(nowMs - atMs) > FRESH_FOR_MS;
}
