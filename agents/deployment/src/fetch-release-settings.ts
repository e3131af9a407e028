import { type Clock, callManager } from '@dbox/agent-sdk';
import type { Client } from '@dbox/contracts';
import type { ReleaseBuild } from './targets/target.ts';

/** A restart of the manager takes seconds; after this the start is a failure of the host, to be repeated. */
const GIVE_UP_AFTER_MS = 60_000;

/** Asked anew for each start and kept nowhere: what is not on this host's disk cannot be read from it. */
export async function fetchReleaseSettings(o: {
  readonly client: Client;
  readonly clock: Clock;
  readonly run: Pick<ReleaseBuild, 'releaseId' | 'settingsVersion'>;
  readonly signal: AbortSignal;
}): Promise<Record<string, string>> {
  const { releaseId, settingsVersion } = o.run;
  if (settingsVersion === 0) return {};
  const answer = await callManager(
    (signal) => o.client.call('getReleaseSettings', { params: { releaseId }, signal }),
    { caller: 'agent', signal: o.signal, giveUpAfterMs: GIVE_UP_AFTER_MS, clock: o.clock },
  );
  if (answer?.version !== settingsVersion) {
    throw new Error(
      `settings version ${settingsVersion} was asked for and ${answer?.version ?? 'none'} came`,
    );
  }
  return answer.values;
}
