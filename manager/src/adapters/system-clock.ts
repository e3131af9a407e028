import type { Clock } from '../ports/clock.ts';

/** A longer delay overflows the timer's 32 bits and would fire at once; longer waits are made of several. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The machine's clock. Its timers keep no process alive, so a stopped box ends by itself. */
export function createSystemClock(): Clock {
  return {
    nowMs: () => Date.now(),
    after(delayMs, callback) {
      let leftMs = Number.isFinite(delayMs) ? Math.max(0, delayMs) : LONGEST_TIMER_MS;
      let timer: NodeJS.Timeout | undefined;
      const wait = () => {
        const stepMs = Math.min(leftMs, LONGEST_TIMER_MS);
        leftMs -= stepMs;
        timer = setTimeout(() => (leftMs > 0 ? wait() : callback()), stepMs);
        timer.unref();
      };
      wait();
      return () => clearTimeout(timer);
    },
  };
}
