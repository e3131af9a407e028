import { createHash, randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import type { LookupRole } from '@dbox/contracts/token-format';
import { composeToken, ROLE_SPELLINGS, TOKEN_SECRET_BYTES } from '@dbox/contracts/token-format';
import type { Config } from '../config.ts';
import { CliError } from '../failure.ts';

/** Values for the Compose file, by name. */
export type StackEnvironment = Readonly<Record<string, string>>;

const MADE_BY = '# Made by `./dbox up --docker`, which writes it anew; for `docker compose --env-file`.';

/** Where the values of this workspace's stack lie; that it is there says that the box runs in containers. */
export function environmentFile(workspaceDir: string): string {
  return join(workspaceDir, 'compose.env');
}

/** Null where this workspace has no stack. */
export async function readStackEnvironment(workspaceDir: string): Promise<StackEnvironment | null> {
  try {
    return parseEnv(await readFile(environmentFile(workspaceDir), 'utf8')) as StackEnvironment;
  } catch {
    return null;
  }
}

/** Also as `.env` beside the Compose file for the workspace beside it, so that a bare `docker compose` works. */
export async function writeStackEnvironment(config: Config, values: StackEnvironment): Promise<void> {
  const lines = Object.entries(values).map(([name, value]) => `${name}=${quote(value)}`);
  const text = `${[MADE_BY, ...lines].join('\n')}\n`;
  await writeWhole(environmentFile(config.workspaceDir), text);
  const file = rootFile(config);
  if (file !== null && (await isOurs(file))) await writeWhole(file, text);
}

export async function forgetStackEnvironment(config: Config): Promise<void> {
  const file = rootFile(config);
  if (file !== null && (await isOurs(file))) await rm(file, { force: true });
}

function rootFile({ checkoutDir, workspaceDir }: Config): string | null {
  return workspaceDir === join(checkoutDir, 'workspace') ? join(checkoutDir, '.env') : null;
}

/** A person's own `.env` is left alone. */
async function isOurs(file: string): Promise<boolean> {
  const text = await readFile(file, 'utf8').catch(() => null);
  return text === null || text.startsWith(MADE_BY);
}

/** In single quotes nothing is replaced; a path may hold anything but those. */
function quote(value: string): string {
  return /^[\w./:@,-]*$/.test(value) ? value : `'${value.replaceAll("'", "\\'")}'`;
}

/** The box's name on the engine, stable for a workspace. */
export function boxNameOf({ boxName, checkoutDir, workspaceDir }: Config): string {
  if (boxName !== null) return boxName;
  if (workspaceDir === join(checkoutDir, 'workspace')) return 'dbox';
  return `dbox-${createHash('sha256').update(workspaceDir).digest('hex').slice(0, 8)}`;
}

export interface StackOwner {
  readonly uid: number;
  readonly gid: number;
}

/** Who the services run as: whoever calls, so that the workspace's files are theirs; never root. */
export function stackOwner(): StackOwner {
  const uid = process.getuid?.() ?? 1000;
  const gid = process.getgid?.() ?? 1000;
  return uid === 0 ? { uid: 1000, gid: 1000 } : { uid, gid };
}

/**
 * The workspace and the secrets that the Compose file mounts, made where they are missing: a token a
 * service, the database's password, npm's settings. Files that are there stay as they are.
 */
export async function makeStackFiles(config: Config, owner: StackOwner): Promise<void> {
  const { workspaceDir } = config;
  const secrets = join(workspaceDir, 'secrets');
  await mkdir(workspaceDir, { recursive: true, mode: 0o700 });
  await mkdir(secrets, { recursive: true, mode: 0o700 });
  await chmod(secrets, 0o700);
  const made = [workspaceDir, secrets];
  for (const [role, spelling] of Object.entries(ROLE_SPELLINGS)) {
    const file = join(secrets, `${spelling}.token`);
    made.push(file);
    await makeSecret(file, () => composeToken(role as LookupRole, randomBytes(TOKEN_SECRET_BYTES)));
  }
  const password = join(secrets, 'database.password');
  made.push(password);
  await makeSecret(password, () => randomBytes(24).toString('base64url'));
  const npmrc = join(secrets, 'npmrc');
  made.push(npmrc);
  await copyNpmSettings(config.npmrcFile, npmrc);
  if (config.tls !== null) {
    for (const [from, name] of [
      [config.tls.certFile, 'tls.crt'],
      [config.tls.keyFile, 'tls.key'],
    ] as const) {
      made.push(join(secrets, name));
      await writeWhole(join(secrets, name), await readTlsFile(from));
    }
  }
  if (process.getuid?.() === 0) for (const path of made) await chown(path, owner.uid, owner.gid);
}

async function readTlsFile(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new CliError('usage', `The TLS file ${file} cannot be read (${cause.code}).`, {
      hint: 'DBOX_TLS_CERT and DBOX_TLS_KEY name files in PEM.',
      cause,
    });
  });
}

async function makeSecret(file: string, make: () => string): Promise<void> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  // A kill between create and write leaves an empty file: as good as none.
  if (text.trim() !== '') return chmod(file, 0o600);
  await writeWhole(file, `${make()}\n`);
}

/** A copy, because the services run as another user where root starts them. */
async function copyNpmSettings(from: string, to: string): Promise<void> {
  const text = await readFile(from, 'utf8').catch(() => '');
  const before = await readFile(to, 'utf8').catch(() => null);
  if (before !== text) await writeWhole(to, text);
}

/** All of it or nothing, readable by its owner alone, and on the disk before it counts. */
async function writeWhole(file: string, text: string): Promise<void> {
  const draft = `${file}.${process.pid}.new`;
  await writeFile(draft, text, { mode: 0o600 });
  const handle = await open(draft, 'r');
  await handle.sync();
  await handle.close();
  await rename(draft, file);
}
