import type { Agent } from 'node:http';
import type { Target } from '@dbox/contracts';
import { ImpatientAgent } from './impatient-agent.ts';
import { createSharedLookup } from './shared-lookup.ts';

/** One release's target with its own keep-alive connections. */
export interface Backend {
  readonly releaseId: string;
  readonly target: Target;
  readonly agent: Agent;
  /** A connection for each request. */
  readonly oneShots: Agent;
  /** Counts a request until the returned function is called (once). */
  enter(): () => void;
  /** No new traffic comes: idle connections are closed now, the others as their requests end. */
  retire(): void;
}

// A burst beyond this makes new connections; holding more idle ones only costs the release memory.
const MAX_IDLE_CONNECTIONS = 64;

/** On the box's own network a connection takes a millisecond; a busy machine may take longer to accept one. */
const CONNECT_MS = 1_000;

const sharedLookup = createSharedLookup();

export function createBackend(releaseId: string, target: Target): Backend {
  const options = { lookup: sharedLookup, connectMs: CONNECT_MS };
  const agent = new ImpatientAgent({ ...options, keepAlive: true, maxFreeSockets: MAX_IDLE_CONNECTIONS });
  const oneShots = new ImpatientAgent(options);
  let inFlightCount = 0;
  let isRetired = false;

  function closeIdle(): void {
    for (const sockets of Object.values(agent.freeSockets)) {
      for (const socket of sockets ?? []) socket.destroy();
    }
  }

  return {
    releaseId,
    target,
    agent,
    oneShots,
    enter() {
      inFlightCount += 1;
      let hasLeft = false;
      return () => {
        if (hasLeft) return;
        hasLeft = true;
        inFlightCount -= 1;
        if (isRetired && inFlightCount === 0) agent.destroy();
      };
    },
    retire() {
      isRetired = true;
      if (inFlightCount === 0) agent.destroy();
      else closeIdle();
    },
  };
}

export function sameTarget(a: Target, b: Target): boolean {
  if (a.kind === 'socket') return b.kind === 'socket' && a.path === b.path;
  return b.kind === 'tcp' && a.host === b.host && a.port === b.port;
}
