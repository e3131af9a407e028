/** More often would be a write a line; what lies between is told twice after a kill. */
const NOTED_EVERY_MS = 2_000;

/**
 * Notes how far a log was read. It stays behind by one period, because what was read just now may not
 * have been sent on yet: after a kill a few lines come twice, and none is lost.
 */
export function createLogPosition(write: (at: string) => Promise<void>) {
  let notedAtMs = performance.now();
  let waiting: string | null = null;
  return {
    passed(at: string): void {
      const nowMs = performance.now();
      if (nowMs - notedAtMs < NOTED_EVERY_MS) return;
      notedAtMs = nowMs;
      // Without it the next life begins at the log's beginning.
      if (waiting !== null) void write(waiting).catch(() => undefined);
      waiting = at;
    },
  };
}
