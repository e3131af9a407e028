import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readReadyTimeoutMs } from '@dbox/agent-deployment';
import type { ManagerConfig } from '@dbox/manager';
import { ConfigError, readConfig } from '@dbox/manager';

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
  'usage: node box/src/main.ts [--workspace DIR] [--port N] [--gateway-port N] [--no-sandbox] [--insecure]';

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
      insecure: { type: 'boolean' },
    },
  });
  const bind = env.DBOX_BIND || '127.0.0.1';
  const manager = readConfig({
    ...env,
    DBOX_LISTEN_HOST: bind,
    DBOX_PUBLIC_HOST: env.DBOX_PUBLIC_HOST || (isAnyAddress(bind) ? '' : bind),
    // Its own parts reach it under the address that it listens on.
    DBOX_HOST_NAMES: bind,
    ...(values.workspace === undefined ? {} : { DBOX_WORKSPACE: values.workspace }),
    ...(values.port === undefined ? {} : { DBOX_PORT: values.port }),
    ...(values['gateway-port'] === undefined ? {} : { DBOX_GATEWAY_PORT: values['gateway-port'] }),
  });
  if (!isLoopback(bind) && manager.tls === null && values.insecure !== true) {
    throw new ConfigError(
      `DBOX_BIND is ${bind}, which others can reach: give DBOX_TLS_CERT and DBOX_TLS_KEY, put a proxy with TLS in front of 127.0.0.1, or say --insecure, and whoever listens on the way reads the tokens`,
    );
  }
  const id = createHash('sha256').update(manager.workspace).digest('hex').slice(0, 10);
  return {
    manager,
    allowUnsandboxed: values['no-sandbox'] === true,
    readyTimeoutMs: readReadyTimeoutMs(env),
    runtimeDir: join(env.XDG_RUNTIME_DIR || '/tmp', `dbox-${id}`),
    marker: `dbox-${id}`,
  };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function isAnyAddress(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
