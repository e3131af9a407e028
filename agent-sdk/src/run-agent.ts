import type { AgentOptions, RunningAgent } from './agent.ts';

/** Resolves once registered; keeps trying while the manager cannot be reached. */
export function startAgent(_options: AgentOptions): Promise<RunningAgent> {
  return Promise.reject(new Error('the lease loop is not written yet'));
}
