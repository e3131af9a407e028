import { createHash } from 'node:crypto';
import { ArchiveRefusedError } from './archive-refused.ts';
import {
  CHECKSUMS_NAME,
  checksumLine,
  FORMAT,
  MANIFEST_NAME,
  Manifest,
  OPENING_NAME,
  Opening,
} from './manifest.ts';
import { readTar, type TarEntry } from './tar-reader.ts';

export type ArchiveEntry = TarEntry;

/** The two documents are small, but a manifest may name a few thousand things that are missing. */
const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;
/** What is remembered of each (its name and hash) takes some 200 bytes. */
const MAX_ENTRIES = 2_000_000;

export interface ArchiveVisitor {
  /** What the archive says it is, before any of it. */
  open?(opening: Opening): void | Promise<void>;
  /** May leave the body unread. Nothing of it is proven before `readArchive` has resolved. */
  entry?(entry: ArchiveEntry): void | Promise<void>;
}

/**
 * Reads an archive to its very end and checks that it is whole: every entry with its checksum, none
 * twice, none added, and the manifest after all of them. Throws `ArchiveRefusedError` saying what is
 * wrong; whatever the visitor took of it until then must be thrown away.
 */
export async function readArchive(
  source: AsyncIterable<Uint8Array>,
  visitor: ArchiveVisitor = {},
): Promise<Manifest> {
  const seen = new Names();
  const lines: string[] = [];
  let opening: Opening | null = null;
  let checksums: { readonly sha256: string } | null = null;
  let manifest: Manifest | null = null;
  let entries = 0;
  let bytes = 0;
  for await (const entry of readTar(source)) {
    if (manifest !== null)
      throw new ArchiveRefusedError(`the archive goes on after its end with ${entry.name}`);
    if (opening === null) {
      if (entry.name !== OPENING_NAME) throw new ArchiveRefusedError('this is no backup of a box');
      const content = await readSmall(entry);
      opening = readOpening(content);
      lines.push(checksumLine(sha256Of(content), entry.name));
      await visitor.open?.(opening);
    } else if (entry.name === MANIFEST_NAME) {
      if (checksums === null) throw new ArchiveRefusedError('the archive has no list of checksums');
      manifest = readDocument(Manifest, await readSmall(entry), entry.name);
      checkManifest(manifest, { opening, checksums, entries, bytes });
    } else if (entry.name === CHECKSUMS_NAME) {
      checksums = { sha256: await compareChecksums(entry, lines) };
    } else {
      if (checksums !== null) throw new ArchiveRefusedError(`${entry.name} follows the list of checksums`);
      const hash = createHash('sha256');
      const hashed = observe(entry.body, (chunk) => hash.update(chunk));
      seen.add(entry);
      await visitor.entry?.({ ...entry, body: hashed });
      for await (const _ of hashed);
      if (entry.type === 'file') lines.push(checksumLine(hash.digest('hex'), entry.name));
    }
    entries += 1;
    bytes += entry.sizeBytes;
    if (entries > MAX_ENTRIES)
      throw new ArchiveRefusedError(`the archive has more than ${MAX_ENTRIES} entries`);
  }
  if (opening === null) throw new ArchiveRefusedError('the archive is empty');
  if (manifest === null) throw new ArchiveRefusedError('the archive has no manifest; it is not whole');
  return manifest;
}

/** No name twice, and none that is both a file and a directory. */
class Names {
  readonly #files = new Set<string>();
  readonly #directories = new Set<string>();
  readonly #announced = new Set<string>();

  add({ name, type }: ArchiveEntry): void {
    const twice = type === 'file' ? this.#files.has(name) : this.#announced.has(name);
    if (twice) throw new ArchiveRefusedError(`the archive holds ${JSON.stringify(name)} twice`);
    (type === 'file' ? this.#files : this.#announced).add(name);
    if (type === 'directory') this.#directories.add(name);
    for (let cut = name.lastIndexOf('/'); cut > 0; cut = name.lastIndexOf('/', cut - 1)) {
      const parent = name.slice(0, cut);
      if (this.#files.has(parent)) throw this.#both(parent);
      if (this.#directories.has(parent)) break;
      this.#directories.add(parent);
    }
    if (this.#files.has(name) && this.#directories.has(name)) throw this.#both(name);
  }

  #both(name: string): ArchiveRefusedError {
    return new ArchiveRefusedError(`${JSON.stringify(name)} is a file and a directory in the archive`);
  }
}

function readOpening(content: Buffer): Opening {
  const found = parse(content) as { format?: unknown } | null;
  if (typeof found?.format === 'number' && found.format > FORMAT) {
    throw new ArchiveRefusedError(
      `the archive has format ${found.format}, this box reads up to ${FORMAT}; use the version that made it, or a newer one`,
    );
  }
  return readDocument(Opening, content, OPENING_NAME);
}

function readDocument<T>(
  schema: { safeParse(value: unknown): { success: true; data: T } | { success: false; error: Error } },
  content: Buffer,
  name: string,
): T {
  const read = schema.safeParse(parse(content));
  if (read.success) return read.data;
  throw new ArchiveRefusedError(`${name} of the archive is not as a box writes it`, { cause: read.error });
}

function parse(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString('utf8'));
  } catch {
    return null;
  }
}

function checkManifest(
  manifest: Manifest,
  read: {
    readonly opening: Opening;
    readonly checksums: { readonly sha256: string };
    readonly entries: number;
    readonly bytes: number;
  },
): void {
  const { opening, checksums } = read;
  const same = JSON.stringify(Opening.parse(manifest)) === JSON.stringify(opening);
  if (!same) throw new ArchiveRefusedError('the manifest is that of another archive');
  if (manifest.checksumsSha256 !== checksums.sha256) {
    throw new ArchiveRefusedError('the list of checksums is not the one that the manifest names');
  }
  // The checksum list itself is counted by the reader, not yet by the manifest.
  if (manifest.counts.entries !== read.entries - 1) {
    throw new ArchiveRefusedError(
      `the archive has ${read.entries - 1} entries, its manifest names ${manifest.counts.entries}`,
    );
  }
}

/** The entry's own SHA-256; throws at the first line that is not what was read. */
async function compareChecksums(entry: TarEntry, lines: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  let at = 0;
  let rest = '';
  const decoder = new TextDecoder();
  const compare = (line: string) => {
    const expected = lines[at];
    at += 1;
    if (line === expected) return;
    const name = (expected ?? line)
      .replace(/^\\?[0-9a-f]{64} {2}/, '')
      .trimEnd()
      .slice(0, 300);
    throw new ArchiveRefusedError(
      `the archive is damaged: the content of ${name} is not that of its checksum`,
    );
  };
  for await (const chunk of entry.body) {
    hash.update(chunk);
    rest += decoder.decode(chunk, { stream: true });
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      compare(rest.slice(0, end + 1));
      rest = rest.slice(end + 1);
    }
    if (rest.length > 10_000) compare(rest);
  }
  if (rest !== '' || at !== lines.length) compare(rest);
  return hash.digest('hex');
}

async function readSmall(entry: TarEntry): Promise<Buffer> {
  if (entry.sizeBytes > MAX_DOCUMENT_BYTES) {
    throw new ArchiveRefusedError(`${entry.name} of the archive has ${entry.sizeBytes} bytes`);
  }
  const chunks: Buffer[] = [];
  for await (const chunk of entry.body) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

function sha256Of(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function observe(body: AsyncIterable<Buffer>, look: (chunk: Buffer) => void): AsyncIterable<Buffer> {
  const bytes = body[Symbol.asyncIterator]();
  const iterator: AsyncIterator<Buffer> = {
    async next() {
      const next = await bytes.next();
      if (!next.done) look(next.value);
      return next;
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}
