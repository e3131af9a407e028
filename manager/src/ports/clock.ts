/** Time and timers, so that tests own both. Logic never calls `Date.now` or `setTimeout` itself. */
export interface Clock {
  /** Milliseconds since the epoch; may jump with the machine's clock. */
  nowMs(): number;
  /** Calls back once after `delayMs`; the returned function cancels and may be called twice. */
  after(delayMs: number, callback: () => void): () => void;
}

export function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
