import { createHash } from 'node:crypto';
import {
  CHECKSUMS_NAME,
  checksumLine,
  MANIFEST_NAME,
  type Manifest,
  OPENING_NAME,
  type Opening,
} from './manifest.ts';
import { END_OF_TAR, encodeHead, padding } from './tar-head.ts';

export interface ArchivePart {
  /** Relative, with `/` between its segments. */
  readonly name: string;
  readonly type?: 'file' | 'directory';
  readonly sizeBytes: number;
  /** 0600 where not given. */
  readonly mode?: number;
  readonly mtimeMs?: number;
  /** Exactly `sizeBytes` of it. */
  readonly body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

type Closing = Omit<Manifest, keyof Opening | 'checksumsSha256' | 'counts'> & {
  readonly counts: Omit<Manifest['counts'], 'entries' | 'bytes'>;
};

/**
 * The archive as it is asked for, a chunk at a time. Whoever stops asking early stops `parts` too.
 * `close` is called once all parts are written. A part that does not have the size it said ends the
 * stream with an error, before the manifest: such an archive is not whole.
 */
export async function* writeArchive(given: {
  readonly opening: Opening;
  readonly parts: AsyncIterable<ArchivePart>;
  readonly close: () => Closing;
}): AsyncGenerator<Buffer> {
  const { opening } = given;
  const mtimeMs = Date.parse(opening.createdAt) || 0;
  const lines: string[] = [];
  let entries = 0;
  let bytes = 0;
  const document = (name: string, value: unknown): ArchivePart => {
    const content = Buffer.from(typeof value === 'string' ? value : `${JSON.stringify(value, null, 1)}\n`);
    return { name, sizeBytes: content.length, mtimeMs, body: [content] };
  };
  async function* write(part: ArchivePart): AsyncGenerator<Buffer> {
    const { name, type = 'file', sizeBytes, mode = type === 'file' ? 0o600 : 0o700 } = part;
    const hash = createHash('sha256');
    let written = 0;
    yield encodeHead({
      name: type === 'file' ? name : `${name}/`,
      ...{ type, sizeBytes, mode, mtimeMs: part.mtimeMs ?? mtimeMs },
    });
    for await (const piece of part.body) {
      const chunk = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
      written += chunk.length;
      if (written > sizeBytes) break;
      hash.update(chunk);
      yield chunk;
    }
    if (written !== sizeBytes) throw new Error(`${name} has not the ${sizeBytes} bytes that were announced`);
    const fill = padding(sizeBytes);
    if (fill.length > 0) yield fill;
    entries += 1;
    bytes += sizeBytes;
    if (type === 'file') lines.push(checksumLine(hash.digest('hex'), name));
  }

  yield* write(document(OPENING_NAME, opening));
  for await (const part of given.parts) yield* write(part);
  const checksums = lines.join('');
  const closing = given.close();
  const manifest: Manifest = {
    ...opening,
    ...closing,
    counts: { entries, bytes, ...closing.counts },
    checksumsSha256: createHash('sha256').update(checksums).digest('hex'),
  };
  yield* write(document(CHECKSUMS_NAME, checksums));
  yield* write(document(MANIFEST_NAME, manifest));
  yield END_OF_TAR;
}
