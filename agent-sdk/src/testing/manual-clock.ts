import type { Clock } from '../clock.ts';

export interface ManualClock extends Clock {
  /** Moves time on and wakes whoever slept until then. */
  advance(ms: number): void;
  /** Resolves once someone sleeps for exactly so long (of those asleep now or later). */
  asleepFor(ms: number): Promise<void>;
}

/** Time that stands still until a test moves it. */
export function createManualClock(startMs = Date.UTC(2026, 0, 2)): ManualClock {
  let passedMs = 0;
  let sleepers: { readonly endsMs: number; readonly ms: number; readonly wake: () => void }[] = [];
  let watchers: { readonly ms: number; readonly seen: () => void }[] = [];

  return {
    now: () => startMs + passedMs,
    monotonicMs: () => passedMs,
    sleep(ms, signal) {
      if (signal?.aborted || ms <= 0) return Promise.resolve();
      return new Promise((resolve) => {
        const sleeper = {
          endsMs: passedMs + ms,
          ms,
          wake() {
            sleepers = sleepers.filter((other) => other !== sleeper);
            signal?.removeEventListener('abort', sleeper.wake);
            resolve();
          },
        };
        sleepers.push(sleeper);
        signal?.addEventListener('abort', sleeper.wake, { once: true });
        for (const watcher of watchers.filter((watcher) => watcher.ms === ms)) watcher.seen();
        watchers = watchers.filter((watcher) => watcher.ms !== ms);
      });
    },
    advance(ms) {
      passedMs += ms;
      for (const sleeper of sleepers.filter(({ endsMs }) => endsMs <= passedMs)) sleeper.wake();
    },
    asleepFor(ms) {
      if (sleepers.some((sleeper) => sleeper.ms === ms)) return Promise.resolve();
      return new Promise((seen) => watchers.push({ ms, seen }));
    },
  };
}
