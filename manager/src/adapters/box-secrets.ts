import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Role } from '@dbox/contracts';
import { ROLES } from '@dbox/contracts';
import { isMissing, writeWhole } from './durable-file.ts';

export type StoredRole = Exclude<Role, 'job'>;
/** A job's token is signed, never stored. */
const STORED_ROLES = ROLES.filter((role): role is StoredRole => role !== 'job');

export interface BoxSecrets {
  /** Signs job tokens. */
  readonly jobKey: Uint8Array;
  /** Encrypts the values of settings. Where the file is lost they are, too. */
  readonly envKey: Uint8Array;
  readonly tokens: ReadonlyMap<StoredRole, string>;
}

/**
 * The secrets of this box, made at its first start: files of mode 0600 below `secrets/`, one a role,
 * so that each process can be given its own and no other.
 */
export async function openBoxSecrets(
  workspace: string,
  mint: (role: StoredRole) => string,
): Promise<BoxSecrets> {
  const directory = join(workspace, 'secrets');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await chmod(directory, 0o700);
  const jobKey = await readOrMake(join(directory, 'job.key'), () => randomBytes(32).toString('hex'));
  const envKey = Buffer.from(
    await readOrMake(join(directory, 'env.key'), () => randomBytes(32).toString('hex')),
    'hex',
  );
  if (envKey.length !== 32) {
    const path = join(directory, 'env.key');
    throw new Error(
      `${path} is no key of 64 hex digits: restore it from a backup, or move it away and set the settings again`,
    );
  }
  const tokens = new Map<StoredRole, string>();
  for (const role of STORED_ROLES) {
    const path = join(directory, `${role.replace(':', '-')}.token`);
    tokens.set(role, await readOrMake(path, () => mint(role)));
  }
  return { jobKey: Buffer.from(jobKey, 'hex'), envKey, tokens };
}

async function readOrMake(path: string, make: () => string): Promise<string> {
  try {
    const text = (await readFile(path, 'utf8')).trim();
    // A kill between create and write leaves an empty file: as good as none.
    if (text !== '') {
      await chmod(path, 0o600);
      return text;
    }
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const text = make();
  await writeWhole(path, `${text}\n`, { durable: true, mode: 0o600 });
  return text;
}
