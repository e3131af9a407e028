import type { AgentOptions, RunningAgent } from '@dbox/agent-sdk';
import { startAgent, systemClock } from '@dbox/agent-sdk';
import { createClient } from '@dbox/contracts';
import { createCheckHandler } from './check-handler.ts';
import { startTopologyFollower } from './follow-topology.ts';
import { createWatchBoard } from './watch-board.ts';
import { openWatchRounds } from './watch-rounds.ts';

export interface MonitoringAgentOptions
  extends Pick<AgentOptions, 'managerUrl' | 'token' | 'stateDir' | 'name' | 'version' | 'clock' | 'echo'> {
  /** Where the gateway listens; 127.0.0.1 where not given. */
  readonly probeHost?: string;
}

/** A check job is one look at a few addresses; more at once would only wait for the same releases. */
const CAPACITY = 4;

/**
 * Watches what the topology says, until stopped. It keeps no state of its own: after a start every
 * watch begins anew, with a round at once. Resolves once registered.
 */
export async function startMonitoringAgent(options: MonitoringAgentOptions): Promise<RunningAgent> {
  const { probeHost = '127.0.0.1', clock = systemClock, ...identity } = options;
  const client = createClient({ baseUrl: options.managerUrl, token: options.token });
  const agent = await startAgent({
    ...identity,
    kind: 'monitoring',
    capacity: CAPACITY,
    warnings: [],
    clock,
    handlers: { check: createCheckHandler({ client, probeHost }) },
  });
  const warn = (message: string, data: object) => agent.log('warn', message, data);
  const board = createWatchBoard({
    clock,
    warn,
    openRounds: (releaseId) => openWatchRounds({ client, probeHost, releaseId, clock, warn }),
  });
  const follower = startTopologyFollower({
    client,
    clock,
    warn,
    apply: (topology) => board.apply(topology.watches),
  });

  return {
    get agentId() {
      return agent.agentId;
    },
    client: agent.client,
    log: agent.log,
    async stop(stopOptions) {
      await follower.stop();
      await board.stop();
      await agent.stop(stopOptions);
    },
  };
}
