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
    managerPort: readPort('DBOX_PORT', given('DBOX_PORT'), 7700),
    gatewayPort: readPort('DBOX_GATEWAY_PORT', given('DBOX_GATEWAY_PORT'), 8080),
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
