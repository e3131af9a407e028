import type { Clock } from '../../../ports/clock.ts';

/** A clock that stands still, and whose timers go off when the test says so. */
export function stillClock(nowMs = 0): Clock & { fire(): void } {
  const waiting = new Set<() => void>();
  return {
    nowMs: () => nowMs,
    after(_delayMs, callback) {
      waiting.add(callback);
      return () => waiting.delete(callback);
    },
    fire() {
      const due = [...waiting];
      waiting.clear();
      for (const callback of due) callback();
    },
  };
}
