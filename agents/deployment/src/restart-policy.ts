/** Pauses after the first, second and every later exit within the window. */
const PAUSES_MS = [200, 1_000, 5_000] as const;
const WINDOW_MS = 60_000;
/** So many exits within the window mean that restarts do not cure it. */
const MAX_EXITS = 5;
/** Pauses after the first, second and every later failure of the host in a row. */
const HOST_PAUSES_MS = [200, 1_000, 5_000, 15_000, 30_000] as const;
/** A host that cannot for hours must not fill the ledger. */
const TELL_HOST_EVERY_MS = 60_000;

/** What went wrong with a release so far. Instants are of a clock that never jumps. */
export interface Failures {
  /** Exits by the commit's doing, within the window. */
  readonly exitsAtMs: readonly number[];
  /** Failures of the host since the release was ready for the last time. */
  readonly hostCount: number;
  /** When the manager was told of a failure of the host for the last time. */
  readonly hostToldAtMs: number;
}

export const NO_FAILURES: Failures = {
  exitsAtMs: [],
  hostCount: 0,
  hostToldAtMs: Number.NEGATIVE_INFINITY,
};

export type RestartDecision = {
  readonly failures: Failures;
  /** Whether the manager is to hear of it. */
  readonly isTold: boolean;
} & ({ readonly kind: 'restart'; readonly afterMs: number } | { readonly kind: 'give_up' });

/**
 * What to do about a live release that has just exited or could not be started. What the host cannot do says
 * nothing against the commit: giving up would roll a good release back, to one that the host cannot run either.
 */
export function decideRestart(former: Failures, cause: 'commit' | 'host', nowMs: number): RestartDecision {
  if (cause === 'host') {
    const isTold = nowMs - former.hostToldAtMs >= TELL_HOST_EVERY_MS;
    const hostCount = former.hostCount + 1;
    const failures = { ...former, hostCount, hostToldAtMs: isTold ? nowMs : former.hostToldAtMs };
    return { kind: 'restart', afterMs: pauseAfter(hostCount, HOST_PAUSES_MS), failures, isTold };
  }
  const exitsAtMs = [...former.exitsAtMs.filter((atMs) => nowMs - atMs < WINDOW_MS), nowMs];
  const failures = { ...former, exitsAtMs };
  if (exitsAtMs.length >= MAX_EXITS) return { kind: 'give_up', failures, isTold: true };
  return { kind: 'restart', afterMs: pauseAfter(exitsAtMs.length, PAUSES_MS), failures, isTold: true };
}

/** The release is ready: the host can again. How often it exits by itself counts on. */
export function afterSuccess(former: Failures): Failures {
  return { ...former, hostCount: 0 };
}

function pauseAfter(count: number, pausesMs: readonly number[]): number {
  return pausesMs[Math.min(count, pausesMs.length) - 1]!;
}
