import type { AgentConfig } from '@dbox/agent-sdk';
import { readAgentConfig } from '@dbox/agent-sdk';

export interface MonitoringConfig extends AgentConfig {
  /** Where the gateway is reached, on the ports of the sites. */
  readonly probeHost: string;
}

export function readMonitoringConfig(env = process.env): MonitoringConfig {
  return {
    ...readAgentConfig('monitoring', { capacity: 1 }, env),
    probeHost: env.DBOX_GATEWAY_HOST || '127.0.0.1',
  };
}
