/** Time as this room needs it; tests hand in one they move by hand. */
export interface Clock {
  /** Milliseconds of a clock that never jumps. */
  nowMs(): number;
  /** Calls once after the delay; the returned function takes that back. */
  after(delayMs: number, call: () => void): () => void;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after(delayMs, call) {
    const timer = setTimeout(call, delayMs);
    return () => clearTimeout(timer);
  },
};
