import { constants } from 'node:fs';
import { lstat, open, readdir, readlink } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { Readable } from 'node:stream';
import { TAR_END, tarHeader, tarOf, tarPadding } from '../../engine/tar-archive.ts';
import type { IgnoreTest } from './ignore-patterns.ts';

/** More than any commit that the manager accepts; a tree can still be made of many small things. */
const MAX_TOTAL_BYTES = 1024 * 1024 * 1024;
const MAX_FILE_BYTES = 512 * 1024 * 1024;
const MAX_ENTRIES = 100_000;
const MAX_DEPTH = 64;
/** Small files are gathered: one write for each would be most of the work. */
const GATHERED_BYTES = 256 * 1024;

/** A tree that cannot be sent to the engine, and why. The commit's fault. */
export class ContextRefused extends Error {
  override readonly name = 'ContextRefused';
}

export interface ContextFile {
  readonly path: string;
  readonly content: string | Buffer;
}

export interface ContextPlan {
  readonly tree: string;
  /** Where the tree lies in the archive; empty: at its root. */
  readonly under: string;
  readonly ignores: IgnoreTest;
  /** What the box adds, before the tree; never under a path of it. */
  readonly own: readonly ContextFile[];
  readonly maxTotalBytes?: number;
}

interface Found {
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'link';
  readonly mode: number;
  readonly sizeBytes: number;
  readonly modifiedAtS: number;
  readonly linkTarget: string;
}

export interface BuildContext {
  /** The archive, as it is read. */
  readonly archive: Readable;
  /** Links that lead out of the tree: they are not sent. */
  readonly leftOut: readonly string[];
}

/** Looks at the whole tree first, so that what is too big is refused before the engine gets any of it. */
export async function openBuildContext(plan: ContextPlan): Promise<BuildContext> {
  const found: Found[] = [];
  const leftOut: string[] = [];
  await list('', 0);
  const totalBytes = found.reduce((sum, entry) => sum + entry.sizeBytes, 0);
  const maxTotalBytes = plan.maxTotalBytes ?? MAX_TOTAL_BYTES;
  if (totalBytes > maxTotalBytes) {
    const [total, allowed] = [totalBytes, maxTotalBytes].map((bytes) => `${Math.ceil(bytes / 2 ** 20)} MB`);
    throw new ContextRefused(`the commit's files are ${total} together; ${allowed} can be built`);
  }
  return { archive: Readable.from(archiveOf(plan, found), { objectMode: false }), leftOut };

  async function list(directory: string, depth: number): Promise<void> {
    if (depth > MAX_DEPTH)
      throw new ContextRefused(`${directory} is more than ${MAX_DEPTH} directories deep`);
    for (const name of (await readdir(join(plan.tree, directory))).sort()) {
      const path = directory === '' ? name : `${directory}/${name}`;
      if (path === '.git') continue;
      const stat = await lstat(join(plan.tree, path));
      // An exception below may bring part of an ignored directory back.
      if (plan.ignores(path) && !stat.isDirectory()) continue;
      if (found.length >= MAX_ENTRIES) throw new ContextRefused(`the commit has over ${MAX_ENTRIES} files`);
      const base = { path, sizeBytes: 0, linkTarget: '', modifiedAtS: stat.mtimeMs / 1000 };
      if (stat.isDirectory()) {
        if (!plan.ignores(path)) found.push({ ...base, kind: 'directory', mode: 0o755 });
        await list(path, depth + 1);
      } else if (stat.isFile()) {
        if (stat.size > MAX_FILE_BYTES)
          throw new ContextRefused(`${path} is too big to be built into an image`);
        found.push({
          ...base,
          kind: 'file',
          mode: stat.mode & 0o111 ? 0o755 : 0o644,
          sizeBytes: stat.size,
        });
      } else if (stat.isSymbolicLink()) {
        const linkTarget = await readlink(join(plan.tree, path));
        if (leadsOut(path, linkTarget)) leftOut.push(path);
        else found.push({ ...base, kind: 'link', mode: 0o777, linkTarget });
      }
    }
  }
}

/** By its words alone. A chain of links through a directory that is one itself ends inside, too: none leads out. */
function leadsOut(path: string, target: string): boolean {
  if (posix.isAbsolute(target)) return true;
  const resolved = posix.normalize(posix.join(posix.dirname(path), target));
  return resolved === '..' || resolved.startsWith('../');
}

async function* archiveOf(plan: ContextPlan, found: readonly Found[]): AsyncGenerator<Buffer> {
  const own = plan.own.map(({ path, content }) => ({ path, content, kind: 'file' as const, mode: 0o644 }));
  const ownArchive = tarOf(own);
  let gathered: Buffer[] = [ownArchive.subarray(0, ownArchive.length - TAR_END.length)];
  let gatheredBytes = ownArchive.length;
  const inArchive = (path: string) => (plan.under === '' ? path : `${plan.under}/${path}`);
  if (plan.under !== '') gathered.push(tarHeader({ path: plan.under, kind: 'directory', mode: 0o755 }));
  for (const entry of found) {
    gathered.push(tarHeader({ ...entry, path: inArchive(entry.path) }));
    gatheredBytes += 512;
    if (entry.kind === 'file') {
      for await (const chunk of contentOf(join(plan.tree, entry.path), entry)) {
        gathered.push(chunk);
        gatheredBytes += chunk.length;
        if (gatheredBytes >= GATHERED_BYTES) {
          yield Buffer.concat(gathered);
          gathered = [];
          gatheredBytes = 0;
        }
      }
      gathered.push(tarPadding(entry.sizeBytes));
    }
  }
  yield Buffer.concat([...gathered, TAR_END]);
}

/** Exactly the bytes that were announced, of a file that is still one. */
async function* contentOf(file: string, entry: Found): AsyncGenerator<Buffer> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    let leftBytes = entry.sizeBytes;
    while (leftBytes > 0) {
      const buffer = Buffer.allocUnsafe(Math.min(leftBytes, GATHERED_BYTES));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length);
      if (bytesRead === 0) throw new ContextRefused(`${entry.path} changed while it was read`);
      leftBytes -= bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}
