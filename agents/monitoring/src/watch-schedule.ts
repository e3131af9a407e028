import type { Clock } from '@dbox/agent-sdk';
import type { Watch } from '@dbox/contracts';

/** One round of a watch. `nextDueInMs` is when its report is stale. Must settle soon after the signal is aborted. */
export type RunRound = (round: {
  readonly watch: Watch;
  readonly nextDueInMs: () => number;
  readonly signal: AbortSignal;
}) => Promise<void>;

export interface WatchSchedule {
  /** The same release with other checks, port or interval: from the next round on. */
  update(watch: Watch): void;
  /** Resolves once a running round has ended. May be called twice. */
  stop(): Promise<void>;
}

/**
 * A round at once, and then one every `intervalMs`. Rounds never overlap: one that is due while the
 * former still runs is skipped, so a slow release gets no pile of probes. The rounds after the first
 * lie at a phase of their own, so that many watches that began together are spread over the interval.
 */
export function startWatchSchedule(o: {
  readonly watch: Watch;
  readonly runRound: RunRound;
  readonly clock: Clock;
  readonly warn: (message: string, data: object) => void;
}): WatchSchedule {
  const ending = new AbortController();
  let watch = o.watch;
  let changed = new AbortController();

  async function run(): Promise<void> {
    let dueMs = o.clock.monotonicMs();
    let isFirst = true;
    while (!ending.signal.aborted) {
      const { intervalMs } = watch;
      const nextMs = dueMs + (isFirst ? firstGapMs(watch) : intervalMs);
      isFirst = false;
      await runOne(nextMs);
      const lateMs = o.clock.monotonicMs() - nextMs;
      dueMs = lateMs <= 0 ? nextMs : nextMs + Math.ceil(lateMs / intervalMs) * intervalMs;
      dueMs = await sleepUntil(dueMs, intervalMs);
    }
  }

  async function runOne(nextMs: number): Promise<void> {
    const nextDueInMs = () => nextMs - o.clock.monotonicMs();
    try {
      await o.runRound({ watch, nextDueInMs, signal: ending.signal });
    } catch (error) {
      if (!ending.signal.aborted) {
        o.warn('a round of checks broke off', { releaseId: watch.releaseId, error: String(error) });
      }
    }
  }

  /** Answers when the round is really due: an interval that has become shorter brings it forward. */
  async function sleepUntil(dueMs: number, intervalMs: number): Promise<number> {
    for (;;) {
      const due = Math.min(dueMs, dueMs - intervalMs + watch.intervalMs);
      const waitMs = due - o.clock.monotonicMs();
      if (waitMs <= 0 || ending.signal.aborted) return due;
      changed = new AbortController();
      await o.clock.sleep(waitMs, AbortSignal.any([ending.signal, changed.signal]));
    }
  }

  const running = run();
  return {
    update(next) {
      watch = next;
      changed.abort();
    },
    async stop() {
      ending.abort(new Error('the watch has ended'));
      await running;
    },
  };
}

/** Between half an interval and a whole one, always the same for a release. */
function firstGapMs({ releaseId, intervalMs }: Watch): number {
  let hash = 0;
  for (const character of releaseId) hash = (hash * 31 + character.charCodeAt(0)) % 1024;
  return intervalMs / 2 + (hash / 1024) * (intervalMs / 2);
}
