import { isUtf8 } from 'node:buffer';
import { constants } from 'node:fs';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import type { ArchivePart } from '@dbox/archive';
import { errorCode, isMissing } from '../durable-file.ts';

/** A file up to this size is read at once, so that it is whole or not in the archive. */
const SMALL_FILE_BYTES = 1024 * 1024;
const CHUNK_BYTES = 256 * 1024;
const MAX_DEPTH = 60;

export interface Skipped {
  readonly name: string;
  readonly reason: string;
}

/**
 * A tree that running sites may write to while it is read: no link is followed, not even one that takes
 * a directory's place on the way, since each step goes from an open directory. What is no file or
 * directory is left out and said.
 */
export async function* treeParts(
  directory: string,
  name: string,
  skipped: Skipped[],
): AsyncGenerator<ArchivePart> {
  const root = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW).catch(
    unlessGone,
  );
  if (root !== null) yield* directoryParts(root, directory, name, skipped, 0);
}

/** Closes `handle`. */
async function* directoryParts(
  handle: FileHandle,
  path: string,
  name: string,
  skipped: Skipped[],
  depth: number,
): AsyncGenerator<ArchivePart> {
  try {
    const { mode, mtimeMs } = await handle.stat();
    yield { name, type: 'directory', sizeBytes: 0, mode: mode & 0o777, mtimeMs, body: [] };
    // Linux names an open directory here; its children are looked up in it, wherever it was moved to.
    const place = process.platform === 'linux' ? `/proc/self/fd/${handle.fd}` : path;
    const children = (await readdir(place, { encoding: 'buffer' })).sort(Buffer.compare);
    for (const child of children) {
      const childName = `${name}/${child.toString('utf8')}`;
      const skip = (reason: string) => void skipped.push({ name: childName, reason });
      if (!isUtf8(child)) skip('its name is not UTF-8');
      else if (depth === MAX_DEPTH || Buffer.byteLength(childName) > 3000) skip('it lies too deep');
      else yield* childParts(`${place}/${child.toString('utf8')}`, childName, skipped, depth, skip);
    }
  } finally {
    await handle.close();
  }
}

async function* childParts(
  path: string,
  name: string,
  skipped: Skipped[],
  depth: number,
  skip: (reason: string) => void,
): AsyncGenerator<ArchivePart> {
  let handle: FileHandle | null;
  try {
    // Without blocking: a pipe that nobody writes to would hold the backup up.
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
      unlessGone,
    );
  } catch (error) {
    skip(REASONS[errorCode(error) ?? ''] ?? `it cannot be read (${errorCode(error)})`);
    return;
  }
  if (handle === null) return;
  const found = await handle.stat();
  if (found.isDirectory()) {
    yield* directoryParts(handle, path, name, skipped, depth + 1);
  } else if (found.isFile()) {
    yield await filePart(handle, name, () => skip('it became shorter while it was copied'));
  } else {
    await handle.close();
    skip('it is neither a file nor a directory');
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ELOOP: 'it is a symbolic link',
  ENXIO: 'it is a socket',
  EACCES: 'it may not be read',
};

/** The file as long as it is now; closes `handle`. What is cut off meanwhile is filled up with zeros. */
export async function filePart(handle: FileHandle, name: string, onShrunk: () => void): Promise<ArchivePart> {
  try {
    const { size, mode, mtimeMs } = await handle.stat();
    const head = { name, mode: mode & 0o777, mtimeMs };
    if (size > SMALL_FILE_BYTES) return { ...head, sizeBytes: size, body: copy(handle, size, onShrunk) };
    const buffer = Buffer.alloc(SMALL_FILE_BYTES);
    const { bytesRead } = await handle.read(buffer, 0, SMALL_FILE_BYTES, 0);
    await handle.close();
    return { ...head, sizeBytes: bytesRead, body: [Buffer.from(buffer.subarray(0, bytesRead))] };
  } catch (error) {
    await handle.close().catch(() => undefined);
    throw error;
  }
}

async function* copy(handle: FileHandle, sizeBytes: number, onShrunk: () => void): AsyncGenerator<Buffer> {
  try {
    for (let at = 0; at < sizeBytes; ) {
      const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, sizeBytes - at));
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, at);
      if (bytesRead === 0) {
        onShrunk();
        yield* zeros(sizeBytes - at);
        return;
      }
      at += bytesRead;
      yield chunk.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

function* zeros(count: number): Generator<Buffer> {
  const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, count));
  for (let left = count; left > 0; left -= chunk.length) yield chunk.subarray(0, left);
}

/** It was deleted meanwhile: then the backup shows a moment after that. */
function unlessGone(error: unknown): null {
  if (isMissing(error)) return null;
  throw error;
}
