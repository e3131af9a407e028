import { type Client, ProblemError, type Topology, type TopologyAck } from '@dbox/contracts';
import type { Clock } from './clock.ts';

export interface TopologyFollower {
  /** Takes the revision over; resolves with what is acknowledged once it serves. */
  readonly apply: (topology: Topology) => Promise<TopologyAck>;
  /** The revision that serves now; null before the first. */
  readonly appliedRevision: () => number | null;
}

// Under the server's limit of 30 s. An answer that is 10 s late will not come: the connection is dead.
const WAIT_MS = 25_000;
const LATE_MS = 10_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/**
 * Asks for newer revisions until the signal is aborted; never rejects. The first answer is applied
 * also where it is the revision already served, because the manager may wait for the acknowledgement.
 */
export async function followTopology(o: {
  readonly client: Client;
  readonly follower: TopologyFollower;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly warn: (message: string, data: object) => void;
}): Promise<void> {
  const { client, follower, clock, signal } = o;
  let after = -1;
  let failureCount = 0;
  while (!signal.aborted) {
    try {
      const topology = await client.call('followTopology', {
        query: { after, waitMs: WAIT_MS },
        signal: AbortSignal.any([signal, AbortSignal.timeout(WAIT_MS + LATE_MS)]),
      });
      failureCount = 0;
      if (topology === null) continue;
      const applied = follower.appliedRevision();
      if (
        applied === null ||
        topology.revision > applied ||
        (after === -1 && topology.revision === applied)
      ) {
        await acknowledge(await follower.apply(topology));
      } else {
        o.warn('an older revision was ignored', { revision: topology.revision, applied });
      }
      after = follower.appliedRevision() ?? topology.revision;
    } catch (error) {
      if (signal.aborted) return;
      failureCount += 1;
      if (failureCount === 1)
        o.warn('the manager cannot be reached, routes stay as they are', { error: String(error) });
      await pause(failureCount);
    }
  }

  async function acknowledge(ack: TopologyAck): Promise<void> {
    for (let tryCount = 1; !signal.aborted; tryCount += 1) {
      try {
        await client.call('ackTopology', { body: ack, signal });
        return;
      } catch (error) {
        // Refused for good: a newer revision is there, and its acknowledgement will do.
        if (error instanceof ProblemError && error.status < 500) {
          o.warn('an acknowledgement was refused', { revision: ack.revision, error: error.message });
          return;
        }
        await pause(tryCount);
      }
    }
  }

  function pause(failures: number): Promise<void> {
    const ms = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 10));
    return clock.sleep(ms, signal);
  }
}
