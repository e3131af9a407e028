import { type Clock, callManager } from '@dbox/agent-sdk';
import type { Client, Topology } from '@dbox/contracts';

// Under the manager's limit of 30 s. An answer that is 10 s late will not come: the connection is dead.
const WAIT_MS = 25_000;
const LATE_MS = 10_000;
const PAUSE_MS = 1_000;

/** Hands on each newer revision, one at a time, until the signal is aborted. Never rejects. */
export async function followTopology(o: {
  readonly client: Client;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly apply: (topology: Topology) => Promise<void>;
  readonly warn: (message: string, data: object) => void;
}): Promise<void> {
  const { client, clock, signal } = o;
  let revision = -1;
  while (!signal.aborted) {
    try {
      const topology = await callManager(
        () =>
          client.call('followTopology', {
            query: { after: revision, waitMs: WAIT_MS },
            signal: AbortSignal.any([signal, AbortSignal.timeout(WAIT_MS + LATE_MS)]),
          }),
        { caller: 'agent', signal, giveUpAfterMs: null, clock },
      );
      if (topology === null || topology.revision <= revision) continue;
      await o.apply(topology);
      revision = topology.revision;
    } catch (error) {
      if (signal.aborted) return;
      o.warn('the topology could not be followed', { error: String(error) });
      await clock.sleep(PAUSE_MS, signal);
    }
  }
}
