import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Manifest } from './manifest.ts';
import { readArchive } from './read-archive.ts';

/**
 * Writes an archive to `path`, readable by its owner alone, and checks it on its way. The file has its
 * name only once all of it is there, whole and on the disk; until then it is `path.part`, which is
 * removed where anything goes wrong.
 */
export async function saveArchive(given: {
  readonly path: string;
  readonly source: AsyncIterable<Uint8Array>;
  readonly onBytes?: (bytes: number) => void;
}): Promise<{ readonly manifest: Manifest; readonly sizeBytes: number }> {
  const path = resolve(given.path);
  const part = `${path}.part`;
  // One that a killed call left is nobody's.
  await rm(part, { force: true });
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const file = await open(part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    let sizeBytes = 0;
    const manifest = await readArchive(
      (async function* () {
        for await (const chunk of given.source) {
          await file.writeFile(chunk);
          sizeBytes += chunk.length;
          given.onBytes?.(sizeBytes);
          yield chunk;
        }
      })(),
    );
    await file.sync();
    await requireOwn(file, part);
    await rename(part, path);
    await syncDirectory(dirname(path));
    return { manifest, sizeBytes };
  } catch (error) {
    if (await isOwn(file, part)) await rm(part, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

/** Two calls for one name: the later took the place of the earlier, whose file has no name any more. */
async function requireOwn(file: FileHandle, part: string): Promise<void> {
  if (!(await isOwn(file, part))) throw new Error(`${part} was taken away while it was written`);
}

async function isOwn(file: FileHandle, part: string): Promise<boolean> {
  const [ours, named] = [await file.stat(), await stat(part).catch(() => null)];
  return named !== null && named.ino === ours.ino && named.dev === ours.dev;
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
