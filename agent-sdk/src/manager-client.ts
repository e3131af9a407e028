import { ProblemError, UnreachableError } from '@dbox/contracts';
import type { Clock } from './clock.ts';
import { systemClock } from './clock.ts';

/**
 * What to do about a failed call, decided here and nowhere else.
 * - `retry`: nobody answered, or the manager said it cannot just now. Every call an agent makes is safe
 *   to repeat: the job calls carry the fence, uploads replace what they name, a result is idempotent.
 * - `gone`: the lease is not ours any more. Stop, write nothing.
 * - `unknown_agent`: the manager has no such agent (its store was replaced): register again.
 * - `final`: the call itself is wrong, and repeating it cannot mend it.
 */
export type FailureClass = 'retry' | 'gone' | 'unknown_agent' | 'final';

export function classifyFailure(error: unknown, caller: 'job' | 'agent'): FailureClass {
  if (error instanceof UnreachableError) return 'retry';
  if (!(error instanceof ProblemError)) return 'final';
  switch (error.code) {
    case 'store_unavailable':
    case 'stopping':
    case 'disk_full':
    case 'internal':
      return 'retry';
    case 'lease_gone':
      return 'gone';
    // A job token dies with its lease, so for a job call these say the same as 409 does.
    case 'unauthenticated':
    case 'forbidden':
      return caller === 'job' ? 'gone' : 'final';
    case 'not_found':
      return caller === 'job' ? 'gone' : 'unknown_agent';
    default:
      return 'final';
  }
}

export interface RetryOptions {
  readonly caller: 'job' | 'agent';
  readonly signal?: AbortSignal;
  /** Tries end this long after the first; null goes on until the signal is aborted. */
  readonly giveUpAfterMs: number | null;
  readonly clock?: Clock;
  /** Told of each failure that will be tried again. */
  readonly onRetry?: (error: unknown, tryCount: number) => void;
}

/** A manager that restarts is back within a second or two, so waits grow quickly but stay below one second. */
const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 1_000;

/** Repeats a call while its failure is of class `retry`; throws the last error else, or the signal's reason. */
export async function callManager<T>(
  attempt: (signal: AbortSignal | undefined) => Promise<T>,
  options: RetryOptions,
): Promise<T> {
  const clock = options.clock ?? systemClock;
  const startedMs = clock.monotonicMs();
  for (let tryCount = 1; ; tryCount += 1) {
    options.signal?.throwIfAborted();
    try {
      return await attempt(options.signal);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (classifyFailure(error, options.caller) !== 'retry') throw error;
      const waitMs = waitBeforeTry(tryCount, error);
      const spentMs = clock.monotonicMs() - startedMs;
      if (options.giveUpAfterMs !== null && spentMs + waitMs > options.giveUpAfterMs) throw error;
      options.onRetry?.(error, tryCount);
      await clock.sleep(waitMs, options.signal);
    }
  }
}

function waitBeforeTry(tryCount: number, error: unknown): number {
  const asked = error instanceof ProblemError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
  const grown = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(tryCount - 1, 10));
  // Full jitter on the upper half keeps many agents from returning in one wave.
  return Math.max(Math.min(asked, 5_000), grown / 2 + (Math.random() * grown) / 2);
}
