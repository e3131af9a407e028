import type { CheckResult, HttpCriterion, Target } from '@dbox/contracts';
import { probeHttp } from '@dbox/probe';
import type { LogScan } from './scan-release-log.ts';
import { scanReleaseLog } from './scan-release-log.ts';

/** The built-in check of a release for which nobody wrote one by address. */
export const REACHABLE = 'reachable';
/** What specs call the project's address. The gateway knows the project by its port. */
const HOST_HEADER = 'devsite:8080';
/** Checks asked at once: a release with many of them must not be overrun by its own watch. */
const MAX_PROBES_AT_ONCE = 8;

export interface Look extends LogScan {
  /** Where the release answers; null where it is routed nowhere. */
  readonly target: Target | null;
  /** Ask whether it answers at all where no check looks at an address. */
  readonly withReachable: boolean;
  readonly timeoutMs: number;
}

/** Looks once at every check that a running release can answer. Rejects only when the signal is aborted. */
export async function lookAtRelease(
  look: Look,
): Promise<{ readonly results: CheckResult[]; readonly nextCursor: string | null }> {
  const probes: (() => Promise<CheckResult>)[] = [];
  for (const { id, criterion } of look.checks) {
    if (criterion.kind === 'http') probes.push(() => probe(id, criterion, look));
  }
  if (look.withReachable && probes.length === 0) probes.push(() => probeReachable(look));
  const [probed, log] = await Promise.all([inTurns(probes), scanReleaseLog(look)]);
  return { results: [...probed, ...log.results], nextCursor: log.nextCursor };
}

async function probe(id: string, criterion: HttpCriterion, look: Look): Promise<CheckResult> {
  const { target, timeoutMs, signal } = look;
  if (target === null) {
    return { id, outcome: 'could_not_run', detail: 'The release has no address now.', latencyMs: null };
  }
  const { ok, detail, latencyMs } = await probeHttp({
    target,
    criterion,
    timeoutMs,
    signal,
    hostHeader: HOST_HEADER,
  });
  return { id, outcome: ok ? 'passed' : 'failed', detail, latencyMs };
}

const ANY_ANSWER: HttpCriterion = {
  kind: 'http',
  path: '/',
  method: 'GET',
  headers: {},
  body: null,
  // Whatever is no server error: a service may well have nothing at its root.
  statuses: Array.from({ length: 300 }, (_, index) => 200 + index),
  contains: [],
  matches: [],
  json: {},
  maxLatencyMs: null,
};

async function probeReachable(look: Look): Promise<CheckResult> {
  const result = await probe(REACHABLE, ANY_ANSWER, look);
  if (result.outcome !== 'failed' || result.latencyMs === null) return result;
  return { ...result, detail: 'GET / answered with a server error, expected a status below 500' };
}

async function inTurns<T>(tasks: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  const waiting = [...tasks.entries()];
  const turn = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, task] = next;
      results[index] = await task();
    }
  };
  await Promise.all(Array.from({ length: MAX_PROBES_AT_ONCE }, turn));
  return results;
}
