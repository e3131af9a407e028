import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readReadyTimeoutMs } from '@dbox/agent-deployment';
import type { ManagerConfig } from '@dbox/manager';
import { readConfig } from '@dbox/manager';

export interface BoxConfig {
  readonly manager: ManagerConfig;
  /** A person said that untrusted code may run without a sandbox. */
  readonly allowUnsandboxed: boolean;
  /** How long a release may take to answer for the first time. */
  readonly readyTimeoutMs: number;
  /** For unix sockets, whose paths may have about 100 bytes in all. */
  readonly runtimeDir: string;
  /** In the environment of every process the box starts, so that a later box finds what a killed one left. */
  readonly marker: string;
}

export const USAGE =
  'usage: node box/src/main.ts [--workspace DIR] [--port N] [--gateway-port N] [--no-sandbox]';

/** Arguments win over the environment. Throws `ConfigError`, or node's own error for an unknown argument. */
export function readBoxConfig(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): BoxConfig {
  const { values } = parseArgs({
    args: [...args],
    options: {
      workspace: { type: 'string' },
      port: { type: 'string' },
      'gateway-port': { type: 'string' },
      'no-sandbox': { type: 'boolean' },
    },
  });
  const manager = readConfig({
    ...env,
    ...(values.workspace === undefined ? {} : { DBOX_WORKSPACE: values.workspace }),
    ...(values.port === undefined ? {} : { DBOX_PORT: values.port }),
    ...(values['gateway-port'] === undefined ? {} : { DBOX_GATEWAY_PORT: values['gateway-port'] }),
  });
  const id = createHash('sha256').update(manager.workspace).digest('hex').slice(0, 10);
  return {
    manager,
    allowUnsandboxed: values['no-sandbox'] === true,
    readyTimeoutMs: readReadyTimeoutMs(env),
    runtimeDir: join(env.XDG_RUNTIME_DIR || '/tmp', `dbox-${id}`),
    marker: `dbox-${id}`,
  };
}
