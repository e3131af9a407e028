import { join } from 'node:path';
import type { AgentConfig } from '@dbox/agent-sdk';
import { readAgentConfig } from '@dbox/agent-sdk';

/** Releases of several projects go on side by side; one project has one at a time anyway. */
const CAPACITY = 4;

export interface DeploymentConfig extends AgentConfig {
  /** The box's name: what it makes of the engine carries it, so that its next life knows its own. */
  readonly boxName: string;
  readonly dataDir: string;
  readonly runtimeDir: string;
}

export function readDeploymentConfig(env = process.env): DeploymentConfig {
  const agent = readAgentConfig('deployment', { capacity: CAPACITY }, env);
  return {
    ...agent,
    boxName: env.DBOX_BOX_NAME || 'dbox',
    dataDir: join(agent.stateDir, 'data'),
    runtimeDir: join(env.XDG_RUNTIME_DIR || '/tmp', 'dbox-sites'),
  };
}
