import { isAbsolute, resolve } from 'node:path';
import { LEASE_DURATION_MS } from '@dbox/contracts';
import type { PostgresAddress } from './adapters/store-sql/index.ts';
import { ConfigError } from './config-error.ts';
import { parseStoreAddress } from './store-address.ts';

export { ConfigError } from './config-error.ts';

/** Everything a person can set, read once at start. `docs/settings.env` shows each with its default. */
export interface ManagerConfig {
  /** Absolute. */
  readonly workspace: string;
  /** Asked for; a taken port is replaced by a free one. */
  readonly port: number;
  /** The address to listen on. */
  readonly host: string;
  /** The name or address by which people reach the box and its sites; stands in every address it prints. */
  readonly publicHost: string;
  /** Certificate and key as files; null is plain HTTP. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | null;
  /** Names under which the box's own services call it, without TLS. */
  readonly hostNames: readonly string[];
  readonly firstGatewayPort: number;
  /** How many sites can have a port; null is without a limit. */
  readonly gatewayPortCount: number | null;
  /** Where commands of tests reach the gateway. */
  readonly gatewayHost: string;
  readonly watchIntervalMs: number;
  readonly leaseDurationMs: number;
  readonly minFreeSpace: number;
  /** The Postgres that holds the truth; null is `task.db` in the workspace. */
  readonly store: PostgresAddress | null;
  /** Where programs such as git are looked for. */
  readonly path: string;
  /** For tests: the manager kills itself `before` or `after` the `nth` commit that holds this event; null in earnest. */
  readonly failpoint: {
    readonly when: 'before' | 'after';
    readonly eventType: string;
    readonly nth: number;
  } | null;
}

export function readConfig(env: Readonly<Record<string, string | undefined>>): ManagerConfig {
  const workspace = env.DBOX_WORKSPACE || './workspace';
  return {
    workspace: isAbsolute(workspace) ? workspace : resolve(workspace),
    port: integer(env, 'DBOX_PORT', { fallback: 7700, min: 0, max: 65_535 }),
    host: env.DBOX_LISTEN_HOST || '127.0.0.1',
    publicHost: readHostName(env.DBOX_PUBLIC_HOST),
    hostNames: (env.DBOX_HOST_NAMES ?? '')
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
    tls: readTlsFiles(env),
    firstGatewayPort: integer(env, 'DBOX_GATEWAY_PORT', { fallback: 8080, min: 1, max: 65_000 }),
    gatewayPortCount: env.DBOX_GATEWAY_PORT_COUNT
      ? integer(env, 'DBOX_GATEWAY_PORT_COUNT', { fallback: 1, min: 1, max: 1_000 })
      : null,
    gatewayHost: env.DBOX_GATEWAY_HOST || '127.0.0.1',
    watchIntervalMs: integer(env, 'DBOX_CHECK_INTERVAL_MS', { fallback: 10_000, min: 100, max: 3_600_000 }),
    leaseDurationMs: integer(env, 'DBOX_LEASE_MS', { fallback: LEASE_DURATION_MS, min: 1_000, max: 600_000 }),
    minFreeSpace: integer(env, 'DBOX_MIN_FREE_PERCENT', { fallback: 5, min: 0, max: 100 }) / 100,
    store: parseStoreAddress(env.DBOX_STORE, env.DBOX_STORE_PASSWORD_FILE),
    path: env.PATH ?? '/usr/local/bin:/usr/bin:/bin',
    failpoint: readFailpoint(env.DBOX_FAILPOINT),
  };
}

function integer(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
  rule: { readonly fallback: number; readonly min: number; readonly max: number },
): number {
  const text = env[name];
  if (text === undefined || text === '') return rule.fallback;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < rule.min || value > rule.max) {
    throw new ConfigError(`${name} is "${text}"; write a whole number from ${rule.min} to ${rule.max}`);
  }
  return value;
}

function readTlsFiles(env: Readonly<Record<string, string | undefined>>): ManagerConfig['tls'] {
  const certFile = env.DBOX_TLS_CERT;
  const keyFile = env.DBOX_TLS_KEY;
  if (!certFile && !keyFile) return null;
  if (certFile && keyFile) return { certFile, keyFile };
  throw new ConfigError('TLS needs both DBOX_TLS_CERT and DBOX_TLS_KEY');
}

function readHostName(text: string | undefined): string {
  if (!text) return '127.0.0.1';
  // It becomes part of addresses.
  if (URL.canParse(`http://${text}`) && new URL(`http://${text}`).host === text.toLowerCase())
    return text.toLowerCase();
  throw new ConfigError(
    `DBOX_PUBLIC_HOST is "${text}"; write a name or an address without a port, e.g. box.example.org, 192.0.2.7 or [2001:db8::7]`,
  );
}

function readFailpoint(text: string | undefined): ManagerConfig['failpoint'] {
  if (!text) return null;
  const match = /^(before|after):([a-z_]+\.[a-z_]+)(?:#([1-9]\d{0,3}))?$/.exec(text);
  if (!match)
    throw new ConfigError(
      `DBOX_FAILPOINT is "${text}"; write before:EVENT or after:EVENT, e.g. after:task.verified, or after:job.leased#2 for the second`,
    );
  return { when: match[1] as 'before' | 'after', eventType: match[2]!, nth: Number(match[3] ?? 1) };
}
