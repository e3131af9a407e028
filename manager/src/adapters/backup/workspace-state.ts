import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, isMissing, syncDirectory, writeWhole } from '../durable-file.ts';

/** Exists from the first change that a restore makes until it is finished. */
const MARKER = 'restore.json';
/** Where a restore unpacks. */
export const STAGING = '.restoring';

/** What a box keeps in its workspace; anything else there is not the box's. */
const BOX_FILES = new Set([
  ...['agents', 'artifacts', 'data', 'logs', 'projects', 'releases', 'removed', 'secrets'],
  ...['stories', 'tasks', 'gateway.json', 'ledger.head', 'store.json'],
]);
const STORE_FILE = /^task\.db(?:$|-|\.)/;
/** Made before the first start, or by nobody but this machine: they make no box. */
const BESIDE_A_BOX = new Set(['secrets', 'logs']);

/** Of this machine, not of the box: the password of the database beside it. */
const KEPT_SECRETS: ReadonlySet<string> = new Set(['database.password']);
/** No archive holds them. The key of job tokens is for the jobs of one life: a restored box makes a new one. */
export const LEFT_OUT_SECRETS: ReadonlySet<string> = new Set(['job.key', ...KEPT_SECRETS]);

/** The workspace is not what was expected; the message says what to do. */
export class WorkspaceStateError extends Error {
  override readonly name = 'WorkspaceStateError';
}

/** Refuses to start on a workspace that holds half of a restored box. */
export async function requireFinishedRestore(workspace: string): Promise<void> {
  if (!(await isRestoreUnfinished(workspace))) return;
  throw new WorkspaceStateError(
    `a restore into ${workspace} was not finished; run \`dbox restore FILE\` again with the same archive`,
  );
}

export async function isRestoreUnfinished(workspace: string): Promise<boolean> {
  return readFile(join(workspace, MARKER), 'utf8').then(
    () => true,
    (error: unknown) => {
      if (isMissing(error)) return false;
      throw error;
    },
  );
}

export async function beginRestore(workspace: string, startedAt: string): Promise<void> {
  await writeWhole(join(workspace, MARKER), `${JSON.stringify({ startedAt, pid: process.pid })}\n`, {
    durable: true,
  });
}

export async function endRestore(workspace: string): Promise<void> {
  await rm(join(workspace, MARKER), { force: true });
  await syncDirectory(workspace);
}

/** The names of a box's files in this workspace. */
export async function boxFiles(workspace: string): Promise<string[]> {
  const names = await readdir(workspace).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  return names.filter((name) => BOX_FILES.has(name) || STORE_FILE.test(name));
}

export async function holdsBox(workspace: string): Promise<boolean> {
  return (await boxFiles(workspace)).some((name) => !BESIDE_A_BOX.has(name));
}

/** Moves a former box out of the way, whole; returns the directory it lies in now, null where there was nothing. */
export async function setAside(workspace: string, stamp: string): Promise<string | null> {
  const names = await boxFiles(workspace);
  if (names.length === 0) return null;
  const directory = await makeNew(join(workspace, `former-${stamp}`));
  for (const name of names) {
    if (name === 'secrets') await moveFiles(join(workspace, name), join(directory, name), KEPT_SECRETS);
    else await rename(join(workspace, name), join(directory, name));
  }
  await syncDirectory(directory);
  await syncDirectory(workspace);
  return directory;
}

async function makeNew(path: string): Promise<string> {
  for (let n = 1; ; n++) {
    const directory = n === 1 ? path : `${path}-${n}`;
    try {
      await mkdir(directory, { mode: 0o700 });
      return directory;
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
  }
}

/** Gives what was unpacked its place. The store goes last: without it there is no box. */
export async function moveIn(workspace: string): Promise<void> {
  const staging = join(workspace, STAGING);
  const names = (await readdir(staging)).filter((name) => BOX_FILES.has(name) || STORE_FILE.test(name));
  names.sort((a, b) => Number(STORE_FILE.test(a)) - Number(STORE_FILE.test(b)));
  for (const name of names) {
    if (name === 'secrets') await moveFiles(join(staging, name), join(workspace, name), new Set());
    else await rename(join(staging, name), join(workspace, name));
  }
  await syncDirectory(workspace);
  await rm(staging, { recursive: true, force: true });
}

async function moveFiles(from: string, to: string, kept: ReadonlySet<string>): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o700 });
  for (const name of await readdir(from)) {
    if (!kept.has(name)) await rename(join(from, name), join(to, name));
  }
  await syncDirectory(to);
}

/** For names of files: an instant without what some file systems refuse. */
export function stampOf(instant: string): string {
  return instant.replaceAll(/[:.]/g, '-');
}
