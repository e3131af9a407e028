import { FIRST_TRAFFIC_MS, type TrafficStats } from '@dbox/contracts';

/** Upper bounds of the latency histogram: fine where a person begins to wait, coarse beyond. */
export const LATENCY_BOUNDS_MS = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000] as const;

// A report holds the releases that changed since the last one; this many back a rolled-back release's counts go on.
const MAX_RELEASES = 500;

interface Counts {
  readonly statuses: Record<string, number>;
  /** Not cumulative: requests between the former bound and this one. */
  readonly perBound: number[];
  latencySumMs: number;
  openCount: number;
  toldOpen: boolean;
  servingSinceMs: number | null;
  isChanged: boolean;
}

/** How soon a change is worth a report: at once where a new release fails, soon where it is new, else later. */
export type Urgency = 'now' | 'soon' | 'later';

/** What each release answered since the gateway started. */
export interface TrafficCounts {
  /** A switch gives it the traffic from now on: its first answers are looked at closely. */
  beginServing(releaseId: string): void;
  /** A request or a WebSocket is under way until the returned function is called (once). */
  open(releaseId: string): () => void;
  /** `latencyMs`: until the response began; null for a protocol switch, whose length says nothing. */
  countAnswer(releaseId: string, status: number, latencyMs: number | null): void;
  /** The release gave no answer at all. */
  countError(releaseId: string): void;
  /** The releases that changed since they were last taken. */
  takeChanged(): readonly TrafficStats[];
  /** The report with these did not arrive: they are taken again. */
  putBack(releaseIds: readonly string[]): void;
}

export function createTrafficCounts(o: {
  readonly monotonicMs: () => number;
  readonly onChange: (urgency: Urgency) => void;
}): TrafficCounts {
  const byRelease = new Map<string, Counts>();

  function countsOf(releaseId: string): Counts {
    let counts = byRelease.get(releaseId);
    if (!counts) {
      counts = {
        statuses: {},
        perBound: LATENCY_BOUNDS_MS.map(() => 0),
        latencySumMs: 0,
        openCount: 0,
        toldOpen: false,
        servingSinceMs: null,
        isChanged: false,
      };
      const oldest = byRelease.keys().next();
      if (byRelease.size >= MAX_RELEASES && !oldest.done) byRelease.delete(oldest.value);
      byRelease.set(releaseId, counts);
    }
    return counts;
  }

  function isNew({ servingSinceMs }: Counts): boolean {
    return servingSinceMs !== null && o.monotonicMs() - servingSinceMs < FIRST_TRAFFIC_MS;
  }

  function changed(counts: Counts, urgency: Urgency): void {
    // What is urgent is told even if a report is on its way already: it may be one that is not.
    if (counts.isChanged && urgency !== 'now') return;
    counts.isChanged = true;
    o.onChange(urgency);
  }

  function count(releaseId: string, status: string, latencyMs: number | null): void {
    const counts = countsOf(releaseId);
    counts.statuses[status] = (counts.statuses[status] ?? 0) + 1;
    if (latencyMs !== null) {
      const index = LATENCY_BOUNDS_MS.findIndex((bound) => latencyMs <= bound);
      if (index !== -1) counts.perBound[index]! += 1;
      counts.latencySumMs += latencyMs;
    }
    const hasFailed = status === '5xx' || status === 'error';
    changed(counts, isNew(counts) ? (hasFailed ? 'now' : 'soon') : 'later');
  }

  return {
    beginServing(releaseId) {
      countsOf(releaseId).servingSinceMs = o.monotonicMs();
    },
    open(releaseId) {
      const counts = countsOf(releaseId);
      counts.openCount += 1;
      let isOpen = true;
      return () => {
        if (!isOpen) return;
        isOpen = false;
        counts.openCount -= 1;
        // Whoever was told that something is under way learns when nothing is.
        if (counts.openCount === 0 && counts.toldOpen) changed(counts, 'later');
      };
    },
    countAnswer: (releaseId, status, latencyMs) =>
      count(releaseId, `${Math.floor(status / 100)}xx`, latencyMs),
    countError: (releaseId) => count(releaseId, 'error', null),
    takeChanged() {
      const taken: TrafficStats[] = [];
      for (const [releaseId, counts] of byRelease) {
        if (!counts.isChanged) continue;
        counts.isChanged = false;
        counts.toldOpen = counts.openCount > 0;
        let sum = 0;
        taken.push({
          releaseId,
          servingForMs: counts.servingSinceMs === null ? null : o.monotonicMs() - counts.servingSinceMs,
          openCount: counts.openCount,
          statuses: { ...counts.statuses },
          latencyBuckets: LATENCY_BOUNDS_MS.map((leMs, index) => {
            sum += counts.perBound[index]!;
            return { leMs, count: sum };
          }),
          latencySumMs: counts.latencySumMs,
        });
      }
      return taken;
    },
    putBack(releaseIds) {
      for (const releaseId of releaseIds) {
        const counts = byRelease.get(releaseId);
        if (counts) changed(counts, isNew(counts) ? 'soon' : 'later');
      }
    },
  };
}
