import type { AgentConfig } from '@dbox/agent-sdk';
import { AgentConfigError, readAgentConfig } from '@dbox/agent-sdk';
import { READY_TIMEOUT_MS } from './wait-until-ready.ts';

/** Releases of several projects go on side by side; one project has one at a time anyway. */
const CAPACITY = 4;

export interface DeploymentConfig extends AgentConfig {
  /** The box's name: what is made of the engine carries it, so that the next life knows its own. */
  readonly boxName: string;
  readonly readyTimeoutMs: number;
  readonly socketPath: string;
  /** The network of releases by its full name. */
  readonly devNetwork: string;
  /** Settings of npm for the builds of projects; null is npm's defaults. */
  readonly npmrcFile: string | null;
}

export function readDeploymentConfig(env = process.env): DeploymentConfig {
  const boxName = env.DBOX_BOX_NAME || 'dbox';
  return {
    readyTimeoutMs: readReadyTimeoutMs(env),
    ...readAgentConfig('deployment', { capacity: CAPACITY }, env),
    boxName,
    socketPath: env.DBOX_ENGINE_SOCKET || '/var/run/docker.sock',
    devNetwork: env.DBOX_DEV_NETWORK || `${boxName}_dev`,
    npmrcFile: env.DBOX_NPMRC_FILE || null,
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
