/** Pauses before the first, second and every later restart within the window. */
const PAUSES_MS = [200, 1_000, 5_000] as const;
const WINDOW_MS = 60_000;
/** So many exits within the window mean that restarts do not cure it. */
const MAX_EXITS = 5;

export type RestartDecision =
  | { readonly kind: 'restart'; readonly afterMs: number; readonly exitsAtMs: readonly number[] }
  | { readonly kind: 'give_up'; readonly exitsAtMs: readonly number[] };

/** What to do about a live release that has just exited. Instants are of a clock that never jumps. */
export function decideRestart(formerExitsAtMs: readonly number[], nowMs: number): RestartDecision {
  const exitsAtMs = [...formerExitsAtMs.filter((atMs) => nowMs - atMs < WINDOW_MS), nowMs];
  if (exitsAtMs.length >= MAX_EXITS) return { kind: 'give_up', exitsAtMs };
  const afterMs = PAUSES_MS[Math.min(exitsAtMs.length, PAUSES_MS.length) - 1]!;
  return { kind: 'restart', afterMs, exitsAtMs };
}
