import type { Sandbox } from './sandbox.ts';
import type { Toolchain } from './toolchain.ts';

export interface OpenSandboxOptions {
  readonly toolchain: Toolchain;
  /** Do not look for bubblewrap: run without a sandbox, as `--no-sandbox` asks. */
  readonly allowNone?: boolean;
}

/** Really runs `true` in bubblewrap: installed is not enough, a container may forbid its namespaces. */
export function openSandbox(_options: OpenSandboxOptions): Promise<Sandbox> {
  return Promise.reject(new Error('not built yet'));
}
