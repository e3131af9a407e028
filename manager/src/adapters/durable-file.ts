import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** For files that nobody may have put there before: no link is followed, nothing is overwritten. */
export const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** Makes the names in a directory durable; a file that was synced but not its name may be gone after a power cut. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Makes `directory` and the parents that are missing, and makes the names of all that it made
 * durable.
 */
export async function makeDirectory(directory: string): Promise<void> {
  const firstMade = await mkdir(directory, { recursive: true });
  if (firstMade === undefined) return;
  const top = dirname(firstMade);
  for (let made = dirname(directory); made.length >= top.length; made = dirname(made)) {
    await syncDirectory(made);
    if (made === dirname(made)) return;
  }
}

/** Replaces a file as a whole: readers see the old text or the new one, also after a crash. */
export async function writeWhole(
  file: string,
  text: string,
  options: { readonly durable: boolean; readonly mode?: number },
): Promise<void> {
  const directory = dirname(file);
  await (options.durable ? makeDirectory(directory) : mkdir(directory, { recursive: true }));
  const temporary = join(directory, `.tmp-${randomBytes(8).toString('hex')}`);
  try {
    const handle = await open(temporary, NEW_FILE, options.mode ?? 0o644);
    try {
      await handle.writeFile(text);
      if (options.durable) await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  if (options.durable) await syncDirectory(directory);
}

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

export function isMissing(error: unknown): boolean {
  return errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR';
}

export function isDiskFull(error: unknown): boolean {
  return errorCode(error) === 'ENOSPC' || errorCode(error) === 'EDQUOT';
}
