import { join, resolve } from 'node:path';
import { CliError } from './failure.ts';

/** Everything the environment decides, read once. Each setting has its example in the comment above it. */
export interface Config {
  /** Where `dbox` lies. */
  readonly checkoutDir: string;
  /** DBOX_WORKSPACE=/srv/dbox: the box's files; `./workspace` beside `dbox` where not set. */
  readonly workspaceDir: string;
  /** DBOX_PORT=7700: the manager's port; the box takes a free one where it is taken. */
  readonly managerPort: number;
  /** DBOX_GATEWAY_PORT=8080: the first project's port. */
  readonly gatewayPort: number;
  /** DBOX_HOST=http://127.0.0.1:7700: a box on another machine; null is the one of the workspace. */
  readonly host: string | null;
  /** DBOX_TOKEN=dbox_…: null takes the admin token of the workspace. */
  readonly token: string | null;
  /** DBOX_MODE=docker: the box as containers; null is what the workspace is. */
  readonly mode: 'process' | 'docker' | null;
  /** DBOX_BOX_NAME=dbox-two: what a box in containers is called; null is of the workspace. */
  readonly boxName: string | null;
  /** DBOX_BIND=0.0.0.0: where the manager and the sites listen; only this machine where not set. */
  readonly bind: string;
  /** DBOX_PUBLIC_HOST=box.example.org: what people reach them by; null is the address they listen on. */
  readonly publicHost: string | null;
  /** DBOX_TLS_CERT=/etc/dbox/tls.crt and DBOX_TLS_KEY: what they prove themselves with; null is plain HTTP. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | null;
  /** DBOX_GATEWAY_PORT_COUNT=20: how many sites of a box in containers can have a port. */
  readonly gatewayPortCount: number;
  /** DBOX_ENGINE_SOCKET=/var/run/docker.sock: the container engine's, on this machine. */
  readonly engineSocket: string;
  /** DBOX_NPMRC_FILE=/etc/npmrc: how images are built where the registry is another; a person's own by default. */
  readonly npmrcFile: string;
  /** What docker inherits: nothing of ours, so that the values of the stack's own file hold. */
  readonly dockerEnvironment: Readonly<Record<string, string>>;
  /** Settings that are handed on to the services. */
  readonly stackSettings: Readonly<Record<string, string>>;
  /** NO_COLOR=1, or a terminal that knows no colours (TERM=dumb). */
  readonly noColour: boolean;
  /** TERM=dumb: nothing can be drawn over. */
  readonly dumbTerminal: boolean;
  /** PATH=/usr/bin:/bin: where `doctor` looks for programs. */
  readonly searchPath: string;
  /** What the box inherits: this environment without the token, DBOX_STORE_PASSWORD_FILE made absolute. */
  readonly boxEnvironment: Readonly<Record<string, string | undefined>>;
  /** What git inherits of a person's own environment. */
  readonly gitEnvironment: Readonly<Record<string, string>>;
}

export const DEFAULT_PORTS = { manager: 7700, gateway: 8080 } as const;

type Environment = Readonly<Record<string, string | undefined>>;

/** Throws `CliError` with the code `usage` for a setting that makes no sense. */
export function readConfig(
  env: Environment = process.env,
  place: { readonly cwd: string; readonly checkoutDir: string } = {
    cwd: process.cwd(),
    checkoutDir: resolve(import.meta.dirname, '../..'),
  },
): Config {
  const given = (name: string): string | null => env[name]?.trim() || null;
  const workspace = given('DBOX_WORKSPACE');
  const passwordFile = given('DBOX_STORE_PASSWORD_FILE');
  const { DBOX_TOKEN: _token, ...inherited } = env;
  // The box is started in its checkout; a relative path begins where the person stands.
  const boxEnvironment = passwordFile
    ? { ...inherited, DBOX_STORE_PASSWORD_FILE: resolve(place.cwd, passwordFile) }
    : inherited;
  return {
    checkoutDir: place.checkoutDir,
    workspaceDir: workspace === null ? join(place.checkoutDir, 'workspace') : resolve(place.cwd, workspace),
    managerPort: readPort('DBOX_PORT', given('DBOX_PORT'), DEFAULT_PORTS.manager),
    gatewayPort: readPort('DBOX_GATEWAY_PORT', given('DBOX_GATEWAY_PORT'), DEFAULT_PORTS.gateway),
    mode: readMode(given('DBOX_MODE')),
    boxName: readBoxName(given('DBOX_BOX_NAME')),
    bind: given('DBOX_BIND') ?? '127.0.0.1',
    publicHost: given('DBOX_PUBLIC_HOST'),
    tls: readTls(given('DBOX_TLS_CERT'), given('DBOX_TLS_KEY'), place.cwd),
    gatewayPortCount: readPort('DBOX_GATEWAY_PORT_COUNT', given('DBOX_GATEWAY_PORT_COUNT'), 20),
    engineSocket: given('DBOX_ENGINE_SOCKET') ?? '/var/run/docker.sock',
    npmrcFile: given('DBOX_NPMRC_FILE') ?? join(env.HOME ?? '/', '.npmrc'),
    dockerEnvironment: pick(env, DOCKER_NAMES),
    stackSettings: pick(env, HANDED_ON),
    host: given('DBOX_HOST'),
    token: given('DBOX_TOKEN'),
    noColour: Boolean(env.NO_COLOR) || env.TERM === 'dumb',
    dumbTerminal: env.TERM === 'dumb',
    searchPath: env.PATH ?? '',
    boxEnvironment,
    gitEnvironment: Object.fromEntries(
      ['PATH', 'HOME', 'SSH_AUTH_SOCK', 'LANG', 'TMPDIR', 'HTTPS_PROXY', 'https_proxy', 'SSL_CERT_FILE']
        .map((name) => [name, env[name]] as const)
        .filter((entry): entry is readonly [string, string] => entry[1] !== undefined),
    ),
  };
}

/** How docker's command finds its engine and its settings. */
const DOCKER_NAMES = [
  ...['PATH', 'HOME', 'LANG', 'TERM', 'TMPDIR', 'XDG_RUNTIME_DIR'],
  ...['DOCKER_HOST', 'DOCKER_CONTEXT', 'DOCKER_CONFIG', 'DOCKER_CERT_PATH', 'DOCKER_TLS_VERIFY'],
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'],
];
const HANDED_ON = [
  'DBOX_CHECK_INTERVAL_MS',
  'DBOX_LEASE_MS',
  'DBOX_MIN_FREE_PERCENT',
  'DBOX_READY_TIMEOUT_MS',
  'DBOX_FAILPOINT',
];

function pick(env: Environment, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names
      .map((name) => [name, env[name]] as const)
      .filter((entry): entry is readonly [string, string] => Boolean(entry[1])),
  );
}

function readTls(cert: string | null, key: string | null, cwd: string): Config['tls'] {
  if (cert === null && key === null) return null;
  if (cert !== null && key !== null) return { certFile: resolve(cwd, cert), keyFile: resolve(cwd, key) };
  throw new CliError('usage', 'TLS needs both DBOX_TLS_CERT and DBOX_TLS_KEY.', {
    hint: 'Name the files of the certificate with its chain and of its key, both in PEM.',
  });
}

function readMode(text: string | null): Config['mode'] {
  if (text === null || text === 'process' || text === 'docker') return text;
  throw new CliError('usage', `DBOX_MODE is "${text}".`, { hint: 'Write process or docker, or unset it.' });
}

/** It becomes part of the names of containers, networks and images. */
function readBoxName(text: string | null): string | null {
  if (text === null || /^[a-z0-9][a-z0-9-]{0,39}$/.test(text)) return text;
  throw new CliError('usage', `DBOX_BOX_NAME is "${text}".`, {
    hint: 'Use a-z, 0-9 and "-", at most 40 of them, e.g. DBOX_BOX_NAME=dbox-two.',
  });
}

function readPort(name: string, text: string | null, byDefault: number): number {
  if (text === null) return byDefault;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port >= 0 && port <= 65_535)) {
    throw new CliError('usage', `${name} is "${text}", which is no port.`, {
      hint: `Give a number from 1 to 65535, e.g. ${name}=${byDefault}, or unset it.`,
    });
  }
  return port;
}
