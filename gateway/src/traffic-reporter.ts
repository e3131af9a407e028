import type { Client } from '@dbox/contracts';
import type { Clock } from './clock.ts';
import { createTrafficCounts, type TrafficCounts } from './traffic-counts.ts';

/** Never more often; a quiet gateway sends nothing. */
const REPORT_INTERVAL_MS = 2_000;
/** A first error is told soon: the manager decides on a rollback by it. */
const FIRST_DELAY_MS = 100;

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

  async function reportUntilQuiet(): Promise<void> {
    for (;;) {
      const sinceLastMs = o.clock.monotonicMs() - lastReportMs;
      await o.clock.sleep(Math.max(FIRST_DELAY_MS, REPORT_INTERVAL_MS - sinceLastMs), stopping.signal);
      if (stopping.signal.aborted) return;
      const releases = [...counts.takeChanged()];
      if (releases.length === 0) {
        // In the same step as the look, or a change in between would be told to nobody.
        isReporting = false;
        return;
      }
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
  }

  const counts = createTrafficCounts(() => {
    if (isReporting || stopping.signal.aborted) return;
    isReporting = true;
    void reportUntilQuiet();
  });

  return { counts, stop: () => stopping.abort() };
}
