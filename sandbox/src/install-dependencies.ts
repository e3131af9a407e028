import { existsSync } from 'node:fs';
import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readNpmSettings } from './npm-settings.ts';
import type { CommandOutcome, Sandbox, SandboxCommand } from './sandbox.ts';

export interface InstallOptions {
  readonly sandbox: Sandbox;
  readonly tree: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  readonly onLine?: NonNullable<SandboxCommand['onLine']>;
}

/** A package.json is a page; one of a hostile repository may be anything. */
const MAX_MANIFEST_BYTES = 1024 * 1024;
/** Bundles of certificates that distributions keep; Node itself trusts only its own list. */
const SYSTEM_CERTIFICATES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt'];

/**
 * `npm ci` (`npm install` without a lock file) where package.json names dependencies and
 * node_modules is absent; network on, scripts off. Null: there was nothing to do.
 */
export async function installDependencies(options: InstallOptions): Promise<CommandOutcome | null> {
  const { sandbox, tree } = options;
  if ((await kindOf(join(tree, 'node_modules'))) !== 'absent') return null;
  if (!needsInstall(await readManifest(tree))) return null;
  const isLocked =
    (await kindOf(join(tree, 'package-lock.json'))) === 'file' ||
    (await kindOf(join(tree, 'npm-shrinkwrap.json'))) === 'file';
  const settings = await readNpmSettings(sandbox.toolchain);
  const certificates = SYSTEM_CERTIFICATES.find((file) => existsSync(file));
  const caMount = settings.caFile === null ? null : { host: settings.caFile, inside: '/run/npm-ca.pem' };
  return sandbox.run({
    // `--git`: an .npmrc of the tree could name a program of its own, which would run with the network on.
    run: `npm ${isLocked ? 'ci' : 'install'} --ignore-scripts --git=git --include=dev --no-audit --no-fund --no-progress --no-update-notifier --loglevel=error`,
    tree,
    readable: caMount === null ? [] : [caMount],
    env: {
      ...settings.env,
      // And so could one of a package from git, which is prepared by an npm that is told by this alone.
      npm_config_git: 'git',
      ...(caMount === null ? {} : { npm_config_cafile: sandbox.pathOf(caMount) }),
      ...(certificates === undefined ? {} : { NODE_EXTRA_CA_CERTS: certificates }),
    },
    network: 'host',
    limits: {
      timeoutMs: options.timeoutMs,
      memoryMb: 2_048,
      processes: 64,
      headBytes: 16 * 1024,
      tailBytes: 16 * 1024,
      fileSizeMb: 1_024,
    },
    ...(options.onLine ? { onLine: options.onLine } : {}),
    ...(options.signal ? { signal: options.signal } : {}),
  });
}

/** Whether an install has anything to bring in. What cannot be read is left to npm, which says why. */
export function needsInstall(manifest: string | null): boolean {
  if (manifest === null) return false;
  let parsed: unknown;
  try {
    parsed = JSON.parse(manifest);
  } catch {
    return true;
  }
  if (typeof parsed !== 'object' || parsed === null) return true;
  const fields = parsed as Record<string, unknown>;
  return ['dependencies', 'devDependencies', 'optionalDependencies', 'workspaces'].some((name) => {
    const value = fields[name];
    return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
  });
}

/** npm's own codes for a registry that could not be reached or was not well. */
const NETWORK_FAULT =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ESOCKETTIMEDOUT|EHOSTUNREACH|ENETUNREACH|ERR_SOCKET_TIMEOUT|ENOSPC|E5\d\d|E429|UNABLE_TO_GET_ISSUER_CERT\w*|SELF_SIGNED_CERT\w*|CERT_\w+)\b/;

/** `host`: a repeat or a person may mend it; `commit`: what package.json and the lock file ask for cannot be had. */
export function causeOfFailedInstall(outcome: CommandOutcome): 'commit' | 'host' {
  if (outcome.end !== 'exited') return outcome.end === 'out_of_memory' ? 'commit' : 'host';
  if (outcome.exitCode === 127 || outcome.exitCode === 126) return 'host';
  return NETWORK_FAULT.test(`${outcome.head}\n${outcome.tail}`) ? 'host' : 'commit';
}

async function readManifest(tree: string): Promise<string | null> {
  const file = join(tree, 'package.json');
  // A link could lead out of the tree.
  const entry = await lstat(file).catch(() => null);
  if (!entry?.isFile() || entry.size > MAX_MANIFEST_BYTES) return null;
  return readFile(file, 'utf8');
}

async function kindOf(path: string): Promise<'absent' | 'file' | 'other'> {
  const entry = await lstat(path).catch(() => null);
  if (entry === null) return 'absent';
  return entry.isFile() ? 'file' : 'other';
}
