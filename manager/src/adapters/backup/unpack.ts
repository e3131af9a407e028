import type { FileHandle } from 'node:fs/promises';
import { mkdir, open, statfs, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  type ArchiveEntry,
  ArchiveRefusedError,
  type Manifest,
  type Opening,
  readArchive,
} from '@dbox/archive';
import { NEW_FILE } from '../durable-file.ts';
import { kindOf } from './entry-paths.ts';

/** So much of the disk stays free: a restored box must be able to start. */
const KEPT_FREE_BYTES = 64 * 1024 * 1024;
/** Looked at again after so many bytes: others write to the disk too. */
const LOOK_BYTES = 64 * 1024 * 1024;

export interface Unpacked {
  readonly manifest: Manifest;
  /** `store/…`, in the order of the archive. */
  readonly rowFiles: readonly { readonly table: string; readonly path: string }[];
  readonly bundles: readonly { readonly place: string; readonly project: string; readonly path: string }[];
}

/**
 * Lays an archive out below `directory`, which must be new and nobody else's. Every name was checked,
 * every file is made new and no link is ever made, so nothing can be written elsewhere; what it takes is
 * bounded by the free disk. Throws `ArchiveRefusedError` for an archive that is not whole or not a box's.
 */
export async function unpack(
  source: AsyncIterable<Uint8Array>,
  directory: string,
  onOpening: (opening: Opening) => void,
): Promise<Unpacked> {
  const rowFiles: { table: string; path: string }[] = [];
  const pages = new Map<string, number>();
  const bundles: { place: string; project: string; path: string }[] = [];
  const space = new Space(directory);
  const directories: { path: string; mtimeMs: number }[] = [];
  const manifest = await readArchive(source, {
    open: onOpening,
    async entry(entry) {
      const kind = kindOf(entry.name, entry.type);
      if (kind === null)
        throw new ArchiveRefusedError(
          `the archive holds ${JSON.stringify(entry.name)}, which this version does not know`,
        );
      const path = join(directory, entry.name);
      if (entry.type === 'directory') {
        await mkdir(path, { recursive: true, mode: 0o700 });
        directories.push({ path, mtimeMs: entry.mtimeMs });
        return;
      }
      if (kind.kind === 'rows') {
        const page = (pages.get(kind.table) ?? 0) + 1;
        pages.set(kind.table, page);
        if (kind.page !== page)
          throw new ArchiveRefusedError(`${entry.name} is not page ${page} of its table`);
        rowFiles.push({ table: kind.table, path });
      }
      if (kind.kind === 'bundle') bundles.push({ place: kind.place, project: kind.project, path });
      await writeEntry(entry, path, kind.kind === 'data' ? entry.mode | 0o200 : 0o600, space);
    },
  });
  // From the deepest up, and last, since each file made in it touches its directory.
  for (const { path, mtimeMs } of directories.reverse()) await utimes(path, mtimeMs / 1000, mtimeMs / 1000);
  return { manifest, rowFiles, bundles };
}

async function writeEntry(entry: ArchiveEntry, path: string, mode: number, space: Space): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  let file: FileHandle;
  try {
    file = await open(path, NEW_FILE, mode);
  } catch (error) {
    throw new ArchiveRefusedError(
      `${JSON.stringify(entry.name)} cannot be laid out: ${(error as Error).message}`,
      { cause: error },
    );
  }
  try {
    await space.require(entry);
    for await (const chunk of entry.body) {
      await space.take(chunk.length);
      await file.writeFile(chunk);
    }
    await file.utimes(entry.mtimeMs / 1000, entry.mtimeMs / 1000);
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** The free disk, as the bound of what an archive may claim and may write. */
class Space {
  readonly #directory: string;
  #left = 0;
  #sinceLook = Number.POSITIVE_INFINITY;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async require({ name, sizeBytes }: ArchiveEntry): Promise<void> {
    if (sizeBytes < LOOK_BYTES) return;
    await this.#look();
    if (sizeBytes > this.#left) throw this.#full(`${JSON.stringify(name)} has ${sizeBytes} bytes`);
  }

  async take(bytes: number): Promise<void> {
    this.#sinceLook += bytes;
    if (this.#sinceLook >= LOOK_BYTES) await this.#look();
    this.#left -= bytes;
    if (this.#left < 0) throw this.#full('it needs more');
  }

  async #look(): Promise<void> {
    const { bavail, bsize } = await statfs(this.#directory);
    this.#left = bavail * bsize - KEPT_FREE_BYTES;
    this.#sinceLook = 0;
  }

  #full(why: string): ArchiveRefusedError {
    return new ArchiveRefusedError(
      `the archive does not fit on the disk: ${why}, ${Math.max(0, this.#left)} bytes may be taken`,
    );
  }
}
