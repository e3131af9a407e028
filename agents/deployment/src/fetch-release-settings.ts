import { type Clock, callManager } from '@dbox/agent-sdk';
import type { Client } from '@dbox/contracts';

/** A restart of the manager takes seconds; after this the start is a failure of the host, to be repeated. */
const GIVE_UP_AFTER_MS = 60_000;

type Values = Readonly<Record<string, string>>;

/** Where a release's settings come from: asked anew for each start and kept nowhere on this host. */
export interface SettingsSource {
  /** For a start. Rejects where they cannot be had. */
  fetch(
    run: { readonly releaseId: string; readonly settingsVersion: number },
    signal: AbortSignal,
  ): Promise<Values>;
  /** For a release that runs already, however long the manager is away. */
  recall(releaseId: string): Promise<Values>;
}

export function createSettingsSource(o: {
  readonly client: Client;
  readonly clock: Clock;
  readonly stopping: AbortSignal;
}): SettingsSource {
  const ask = (releaseId: string, signal: AbortSignal, giveUpAfterMs: number | null) =>
    callManager((either) => o.client.call('getReleaseSettings', { params: { releaseId }, signal: either }), {
      caller: 'agent',
      signal,
      giveUpAfterMs,
      clock: o.clock,
    });
  return {
    async fetch({ releaseId, settingsVersion }, signal) {
      if (settingsVersion === 0) return {};
      const answer = await ask(releaseId, signal, GIVE_UP_AFTER_MS);
      if (answer?.version !== settingsVersion) {
        const came = answer?.version ?? 'none';
        throw new Error(`settings version ${settingsVersion} was asked for and ${came} came`);
      }
      return answer.values;
    },
    async recall(releaseId) {
      return (await ask(releaseId, o.stopping, null))?.values ?? {};
    },
  };
}
