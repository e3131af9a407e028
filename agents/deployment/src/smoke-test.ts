import type { Clock } from '@dbox/agent-sdk';
import type { Check, CheckResult, HttpCriterion, LogCriterion } from '@dbox/contracts';
import { findLogMatch, InvalidPatternError, PROBE_TIMEOUT_MS, probeHttp } from '@dbox/probe';
import type { RunningRelease } from './targets/target.ts';
import { SMOKE_HOST } from './wait-until-ready.ts';

/** A fresh process may still be warming up; a release that needs longer than this is not good. */
const MAX_TRIES = 4;
const PAUSE_MS = 200;
/** What a release prints about the last request comes through a pipe and may be behind its answer. */
const LAST_LINES_MS = 100;

/**
 * Asks the release itself, past the gateway, every check by address, in their order, then looks at
 * what it has printed so far. Commands are the tests' matter. Rejects only when `signal` is aborted.
 */
export async function smokeTest(o: {
  readonly release: RunningRelease;
  readonly checks: readonly Check[];
  readonly printedLines: () => readonly string[];
  readonly signal: AbortSignal;
  readonly clock: Clock;
}): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = [];
  for (const { id, criterion } of o.checks) {
    if (criterion.kind === 'http') results.push(await checkAddress(id, criterion));
  }
  if (o.checks.some(({ criterion }) => criterion.kind === 'log')) {
    await o.clock.sleep(LAST_LINES_MS, o.signal);
    o.signal.throwIfAborted();
  }
  for (const { id, criterion } of o.checks) {
    if (criterion.kind === 'log') results.push(checkLog(id, criterion, o.printedLines()));
  }
  return results;

  async function checkAddress(id: string, criterion: HttpCriterion): Promise<CheckResult> {
    for (let tryCount = 1; ; tryCount += 1) {
      const { ok, detail, latencyMs } = await probeHttp({
        target: o.release.target,
        hostHeader: SMOKE_HOST,
        criterion,
        signal: o.signal,
        timeoutMs: PROBE_TIMEOUT_MS,
      });
      if (ok) return { id, outcome: 'passed', detail, latencyMs };
      if (tryCount === MAX_TRIES) return { id, outcome: 'failed', detail, latencyMs };
      await o.clock.sleep(PAUSE_MS, o.signal);
      o.signal.throwIfAborted();
    }
  }
}

function checkLog(id: string, criterion: LogCriterion, lines: readonly string[]): CheckResult {
  try {
    const line = findLogMatch(criterion, lines);
    if (line === null) {
      const detail = `no line of ${lines.length} matches /${criterion.mustNotMatch}/`;
      return { id, outcome: 'passed', detail, latencyMs: null };
    }
    const detail = `the release printed "${line.slice(0, 200)}", which matches /${criterion.mustNotMatch}/`;
    return { id, outcome: 'failed', detail, latencyMs: null };
  } catch (error) {
    if (!(error instanceof InvalidPatternError)) throw error;
    return { id, outcome: 'could_not_run', detail: error.message, latencyMs: null };
  }
}
