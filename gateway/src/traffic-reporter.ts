import type { Client } from '@dbox/contracts';
import type { Clock } from './clock.ts';
import { createTrafficCounts, type TrafficCounts, type Urgency } from './traffic-counts.ts';

/**
 * Between two reports at least so much, by the most urgent change since the last one; a quiet gateway
 * sends nothing. A failing new release is to lose the traffic within a second of its first failure, so
 * that is told at once and then each tenth of a second: the manager needs a handful to judge.
 */
const INTERVAL_MS: Record<Urgency, number> = { now: 100, soon: 200, later: 2_000 };
/** What comes together is told together. */
const GATHER_MS: Record<Urgency, number> = { now: 0, soon: 100, later: 100 };

export interface TrafficReporter {
  readonly counts: TrafficCounts;
  stop(): void;
}

export function createTrafficReporter(o: {
  readonly client: Client;
  readonly clock: Clock;
  readonly startedAt: string;
}): TrafficReporter {
  const stopping = new AbortController();
  let isReporting = false;
  let lastReportMs = Number.NEGATIVE_INFINITY;
  /** When the next report is due; infinite while nothing has changed. */
  let dueMs = Number.POSITIVE_INFINITY;
  let nap = new AbortController();

  async function reportUntilQuiet(): Promise<void> {
    for (;;) {
      if (stopping.signal.aborted) return;
      if (dueMs === Number.POSITIVE_INFINITY) {
        // In the same step as the look, or a change in between would be told to nobody.
        isReporting = false;
        return;
      }
      nap = new AbortController();
      await o.clock.sleep(Math.max(0, dueMs - o.clock.monotonicMs()), nap.signal);
      if (stopping.signal.aborted) return;
      if (o.clock.monotonicMs() < dueMs) continue;
      await report();
    }
  }

  async function report(): Promise<void> {
    dueMs = Number.POSITIVE_INFINITY;
    const releases = [...counts.takeChanged()];
    if (releases.length === 0) return;
    lastReportMs = o.clock.monotonicMs();
    try {
      await o.client.call('reportTraffic', {
        body: { startedAt: o.startedAt, releases },
        signal: stopping.signal,
      });
    } catch {
      // Counts are totals, so a report that was lost is made good by the next one.
      counts.putBack(releases.map((release) => release.releaseId));
    }
  }

  const counts = createTrafficCounts({
    monotonicMs: () => o.clock.monotonicMs(),
    onChange(urgency) {
      if (stopping.signal.aborted) return;
      const atMs = Math.max(o.clock.monotonicMs() + GATHER_MS[urgency], lastReportMs + INTERVAL_MS[urgency]);
      if (atMs < dueMs) {
        dueMs = atMs;
        nap.abort();
      }
      if (isReporting) return;
      isReporting = true;
      void reportUntilQuiet();
    },
  });

  return {
    counts,
    stop() {
      stopping.abort();
      nap.abort();
    },
  };
}
