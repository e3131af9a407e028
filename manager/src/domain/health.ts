import type { Health } from '@dbox/contracts';

export const FAILURES_UNTIL_UNHEALTHY = 3;
export const SUCCESSES_UNTIL_HEALTHY = 2;

/** The recent rounds of one check of one release. */
export interface CheckTrack {
  readonly health: Health;
  readonly failures: number;
  readonly successes: number;
  readonly detail: string;
}

export const NEW_TRACK: CheckTrack = { health: 'unknown', failures: 0, successes: 0, detail: '' };

/** One failure is noise, three in a row are news; one success is enough where nothing was known. */
export function track(
  former: CheckTrack,
  round: { readonly ok: boolean; readonly detail: string },
): CheckTrack {
  const failures = round.ok ? 0 : former.failures + 1;
  const successes = round.ok ? former.successes + 1 : 0;
  let health = former.health;
  if (failures >= FAILURES_UNTIL_UNHEALTHY) health = 'unhealthy';
  else if (successes >= (health === 'unhealthy' ? SUCCESSES_UNTIL_HEALTHY : 1)) health = 'healthy';
  return { health, failures, successes, detail: round.detail };
}

/** An environment is as well as its worst check. */
export function overall(tracks: readonly CheckTrack[]): Health {
  if (tracks.some((one) => one.health === 'unhealthy')) return 'unhealthy';
  if (tracks.length === 0 || tracks.some((one) => one.health === 'unknown')) return 'unknown';
  return 'healthy';
}
