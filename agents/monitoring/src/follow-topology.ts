import type { Clock } from '@dbox/agent-sdk';
import { callManager } from '@dbox/agent-sdk';
import type { Client, Topology } from '@dbox/contracts';
import { MAX_LEASE_WAIT_MS } from '@dbox/contracts';

/** An answer this late will not come: the connection is dead and nobody has said so. */
const LATE_MS = 10_000;
/** A refusal that a repeat cannot mend, such as a wrong token, is asked about this often. */
const REFUSED_WAIT_MS = 5_000;

export interface TopologyFollower {
  /** May be called twice. Nothing is applied after it. */
  stop(): Promise<void>;
}

/** One long poll after the other until stopped; only a newer revision is applied. */
export function startTopologyFollower(o: {
  readonly client: Client;
  readonly clock: Clock;
  readonly warn: (message: string, data: object) => void;
  readonly apply: (topology: Topology) => void;
}): TopologyFollower {
  const ending = new AbortController();
  let revision = -1;

  async function follow(): Promise<void> {
    while (!ending.signal.aborted) {
      try {
        const topology = await callManager((signal) => askOnce(signal ?? ending.signal), {
          caller: 'agent',
          clock: o.clock,
          signal: ending.signal,
          giveUpAfterMs: null,
          onRetry: (error, tryCount) => {
            if (tryCount === 1)
              o.warn('the manager cannot be reached, watches go on', { error: String(error) });
          },
        });
        if (topology === null || topology.revision <= revision) continue;
        revision = topology.revision;
        o.apply(topology);
      } catch (error) {
        if (ending.signal.aborted) return;
        o.warn('the manager refused to say what to watch', { error: String(error) });
        await o.clock.sleep(REFUSED_WAIT_MS, ending.signal);
      }
    }
  }

  /** Null where nothing newer came, or no answer at all. */
  async function askOnce(signal: AbortSignal): Promise<Topology | null> {
    const late = AbortSignal.timeout(MAX_LEASE_WAIT_MS + LATE_MS);
    try {
      return await o.client.call('followTopology', {
        query: { after: revision, waitMs: MAX_LEASE_WAIT_MS },
        signal: AbortSignal.any([signal, late]),
      });
    } catch (error) {
      if (late.aborted && !signal.aborted) return null;
      throw error;
    }
  }

  const following = follow();
  return {
    async stop() {
      ending.abort(new Error('the agent is stopping'));
      await following;
    },
  };
}
