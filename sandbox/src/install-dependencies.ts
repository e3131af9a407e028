import type { CommandOutcome, Sandbox, SandboxCommand } from './sandbox.ts';

export interface InstallOptions {
  readonly sandbox: Sandbox;
  readonly tree: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  readonly onLine?: NonNullable<SandboxCommand['onLine']>;
}

/**
 * `npm ci` (`npm install` without a lock file) where package.json names dependencies and
 * node_modules is absent; network on, scripts off. Null: there was nothing to do.
 */
export function installDependencies(_options: InstallOptions): Promise<CommandOutcome | null> {
  return Promise.reject(new Error('not built yet'));
}
