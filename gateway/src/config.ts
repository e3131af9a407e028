import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TlsPair } from './accept-tls.ts';

/** What a gateway that is a process of its own is told; `docs/settings.env` shows each setting. */
export interface GatewayConfig {
  readonly managerUrl: string;
  readonly token: string;
  readonly host: string;
  /** Keeps the routes last served. */
  readonly stateFile: string;
  /** Touched while the manager answers; a health check looks at its age. */
  readonly healthFile: string;
  /** The only ports that are reached from outside; null is any. */
  readonly ports: { readonly first: number; readonly count: number } | null;
  readonly tls: TlsPair | null;
}

/** A setting is missing or makes no sense; the message says what to write instead. */
export class GatewayConfigError extends Error {
  override readonly name = 'GatewayConfigError';
}

export function readGatewayConfig(
  env: Readonly<Record<string, string | undefined>> = process.env,
): GatewayConfig {
  const stateDir = env.DBOX_STATE_DIR;
  if (!stateDir) {
    throw new GatewayConfigError('DBOX_STATE_DIR is not set; name a directory that survives a restart');
  }
  const managerUrl = env.DBOX_MANAGER_URL ?? '';
  const protocol = URL.canParse(managerUrl) ? new URL(managerUrl).protocol : '';
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw new GatewayConfigError(`DBOX_MANAGER_URL is "${managerUrl}"; write it as http://HOST:PORT`);
  }
  return {
    managerUrl: new URL(managerUrl).origin,
    token: readToken(env.DBOX_TOKEN_FILE),
    host: env.DBOX_LISTEN_HOST || '127.0.0.1',
    stateFile: join(stateDir, 'routes.json'),
    healthFile: join(stateDir, 'health'),
    ports: env.DBOX_GATEWAY_PORT_COUNT
      ? {
          first: readNumber(env, 'DBOX_GATEWAY_PORT', { fallback: 8080, max: 65_000 }),
          count: readNumber(env, 'DBOX_GATEWAY_PORT_COUNT', { fallback: 20, max: 1_000 }),
        }
      : null,
    tls: readTlsPair(env.DBOX_TLS_CERT, env.DBOX_TLS_KEY),
  };
}

/** Null where neither is given. */
export function readTlsPair(certFile: string | undefined, keyFile: string | undefined): TlsPair | null {
  if (!certFile && !keyFile) return null;
  if (!certFile || !keyFile) throw new GatewayConfigError('TLS needs both DBOX_TLS_CERT and DBOX_TLS_KEY');
  try {
    return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
  } catch (cause) {
    throw new GatewayConfigError(`a TLS file cannot be read: ${(cause as Error).message}`, { cause });
  }
}

function readToken(file: string | undefined): string {
  if (!file) {
    throw new GatewayConfigError(
      'DBOX_TOKEN_FILE is not set; name the file that holds the gateway’s token (the box keeps it as secrets/gateway.token in its workspace)',
    );
  }
  try {
    const text = readFileSync(file, 'utf8').trim();
    if (text !== '') return text;
  } catch (cause) {
    throw new GatewayConfigError(
      `the token file ${file} cannot be read (${(cause as NodeJS.ErrnoException).code})`,
      { cause },
    );
  }
  throw new GatewayConfigError(`the token file ${file} is empty`);
}

function readNumber(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
  rule: { readonly fallback: number; readonly max: number },
): number {
  const text = env[name];
  if (!text) return rule.fallback;
  const value = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= rule.max) return value;
  throw new GatewayConfigError(`${name} is "${text}"; write a whole number from 1 to ${rule.max}`);
}
