import type { SettingList } from '@dbox/contracts';
import type { BoxConnection } from './box-connection.ts';
import type { Clock } from './clock.ts';
import { isPassing } from './event-stream.ts';
import { CliError } from './failure.ts';

/** A release takes a second or more, and a look costs the box next to nothing. */
const POLL_MS = 250;
/** As for stories: a restart takes seconds, and a script must hear of a box that stays away. */
const GONE_LIMIT_MS = 120_000;

export type SettingsEnd =
  | { readonly outcome: 'live' | 'next_release' }
  | { readonly outcome: 'refused' | 'rolled_back'; readonly reason: string };

export interface FollowSettings {
  readonly box: BoxConnection;
  readonly clock: Clock;
  readonly project: string;
  readonly environment: string;
  readonly version: number;
  /** Stop looking; the release goes on. */
  readonly signal: AbortSignal;
}

/** How the release with this version, or with a later one that contains it, has ended; null where the signal came first. */
export async function followSettings(follow: FollowSettings): Promise<SettingsEnd | null> {
  const { clock, signal } = follow;
  while (!signal.aborted) {
    const list = await look(follow);
    const end = list && endOf(list, follow.version);
    if (end) return end;
    await clock.sleep(POLL_MS, signal);
  }
  return null;
}

export function endOf(list: SettingList, version: number): SettingsEnd | null {
  if (list.version < version) {
    const reason = `a rollback took the settings back to version ${list.version}`;
    return { outcome: 'rolled_back', reason };
  }
  if (list.refused !== null && list.refused.version >= version) {
    return { outcome: 'refused', reason: `${list.refused.reason} (release ${list.refused.releaseId})` };
  }
  if (list.live === null) return { outcome: 'next_release' };
  return list.live >= version ? { outcome: 'live' } : null;
}

async function look(follow: FollowSettings): Promise<SettingList | null> {
  const { box, clock, signal, project, environment } = follow;
  let goneSince: number | null = null;
  while (!signal.aborted) {
    try {
      return await box.call('listSettings', { params: { project, environment }, signal });
    } catch (error) {
      if (signal.aborted) return null;
      if (!isPassing(error)) throw error;
      goneSince ??= clock.now();
      if (clock.now() - goneSince > GONE_LIMIT_MS) {
        throw new CliError(
          'box_unreachable',
          'The box went away and did not come back; the change is kept.',
          {
            hint: `Start it with \`./dbox up\`, then look with \`./dbox env list ${project}\`.`,
            cause: error,
          },
        );
      }
      await clock.sleep(POLL_MS, signal);
    }
  }
  return null;
}
