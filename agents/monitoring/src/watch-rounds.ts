import type { Clock } from '@dbox/agent-sdk';
import { callManager } from '@dbox/agent-sdk';
import type { Client, WatchReport } from '@dbox/contracts';
import { PROBE_TIMEOUT_MS } from '@dbox/probe';
import { lookAtRelease } from './look-at-release.ts';
import type { RunRound } from './watch-schedule.ts';

/** Even with a very short interval an answer needs some time, and a manager that restarts a second. */
const LEAST_TIME_MS = 1_000;
/** What one round reads of a release that prints without end; the next one goes on there. */
const MAX_LOG_PAGES = 5;

/**
 * The rounds of one newly watched release: look at all checks, report the results. Lines of its output
 * count as seen once their round was reported, so what a lost report said is said again.
 */
export function openWatchRounds(o: {
  readonly client: Client;
  readonly probeHost: string;
  readonly releaseId: string;
  readonly clock: Clock;
  readonly warn: (message: string, data: object) => void;
}): RunRound {
  let logCursor: string | null = null;

  return async ({ watch, nextDueInMs, signal }) => {
    const { results, nextCursor } = await lookAtRelease({
      client: o.client,
      releaseId: watch.releaseId,
      target: { kind: 'tcp', host: o.probeHost, port: watch.port },
      checks: watch.checks,
      withReachable: true,
      logCursor,
      maxLogPages: MAX_LOG_PAGES,
      timeoutMs: Math.min(PROBE_TIMEOUT_MS, Math.max(LEAST_TIME_MS, watch.intervalMs)),
      signal,
    });
    const report: WatchReport = {
      releaseId: watch.releaseId,
      // What could not be looked at is neither good nor bad news.
      results: results
        .filter(({ outcome }) => outcome !== 'could_not_run')
        .map(({ id, outcome, detail, latencyMs }) => ({ id, ok: outcome === 'passed', detail, latencyMs })),
    };
    if (report.results.length === 0 || (await send(report, nextDueInMs(), signal))) logCursor = nextCursor;
  };

  /** Repeated only until the next round is due: after that it would be old news. False where it did not arrive. */
  async function send(report: WatchReport, freshForMs: number, signal: AbortSignal): Promise<boolean> {
    const giveUpAfterMs = Math.max(LEAST_TIME_MS, freshForMs);
    const stale = new AbortController();
    const sent = new AbortController();
    const timer = o.clock
      .sleep(giveUpAfterMs, AbortSignal.any([signal, sent.signal]))
      .then(() => stale.abort(new Error('the report is stale')));
    try {
      await callManager(
        (both) =>
          o.client.call('reportWatch', {
            params: { releaseId: report.releaseId },
            body: report,
            signal: both,
          }),
        {
          caller: 'agent',
          clock: o.clock,
          giveUpAfterMs,
          signal: AbortSignal.any([signal, stale.signal]),
        },
      );
      return true;
    } catch (error) {
      signal.throwIfAborted();
      o.warn('a round of checks could not be reported', {
        releaseId: report.releaseId,
        error: String(error),
      });
      return false;
    } finally {
      sent.abort();
      await timer;
    }
  }
}
