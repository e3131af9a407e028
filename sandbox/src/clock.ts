/** Time as this room needs it; tests hand in one they move by hand. */
export interface Clock {
  /** Milliseconds of a clock that never jumps. */
  nowMs(): number;
  /** Calls once after the delay; the returned function takes that back. */
  after(delayMs: number, call: () => void): () => void;
}

/** Node's timers fire at once past 2³¹ - 1 ms; three weeks are as good as the months somebody asked for. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after(delayMs, call) {
    const timer = setTimeout(call, Math.min(delayMs, MAX_TIMER_MS));
    return () => clearTimeout(timer);
  },
};
