import { join } from 'node:path';
import type { AgentConfig } from '@dbox/agent-sdk';
import { AgentConfigError, readAgentConfig } from '@dbox/agent-sdk';
import { READY_TIMEOUT_MS } from './wait-until-ready.ts';

/** Releases of several projects go on side by side; one project has one at a time anyway. */
const CAPACITY = 4;

export interface DeploymentConfig extends AgentConfig {
  /** The box's name: what it makes of the engine carries it, so that its next life knows its own. */
  readonly boxName: string;
  readonly dataDir: string;
  readonly runtimeDir: string;
  readonly readyTimeoutMs: number;
}

export function readDeploymentConfig(env = process.env): DeploymentConfig {
  const agent = readAgentConfig('deployment', { capacity: CAPACITY }, env);
  return {
    ...agent,
    readyTimeoutMs: readReadyTimeoutMs(env),
    boxName: env.DBOX_BOX_NAME || 'dbox',
    dataDir: join(agent.stateDir, 'data'),
    runtimeDir: join(env.XDG_RUNTIME_DIR || '/tmp', 'dbox-sites'),
  };
}

/** How long a release may take to answer for the first time. */
export function readReadyTimeoutMs(env: Readonly<Record<string, string | undefined>>): number {
  const text = env.DBOX_READY_TIMEOUT_MS;
  if (!text) return READY_TIMEOUT_MS;
  const value = /^\d{3,7}$/.test(text) ? Number(text) : 0;
  if (value >= 100 && value <= 3_600_000) return value;
  throw new AgentConfigError(`DBOX_READY_TIMEOUT_MS is "${text}"; write a whole number from 100 to 3600000`);
}
