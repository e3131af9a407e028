import { ArchiveRefusedError } from './archive-refused.ts';
import { checkEntryName } from './entry-name.ts';
import { BLOCK_BYTES, decodeBlock, decodePax, isEmpty, type TarHead } from './tar-head.ts';

/** A name of 3,000 bytes and a size need less. */
const MAX_PAX_BYTES = 8 * 1024;
/** Writers fill their last record, of 10 KiB as a rule; what goes on much longer is there to keep a reader busy. */
const MAX_TRAILER_BYTES = 1024 * 1024;
const OTHER_TYPES: Readonly<Record<string, string>> = {
  '1': 'a hard link',
  '2': 'a symbolic link',
  '3': 'a device',
  '4': 'a device',
  '6': 'a pipe',
};

export interface TarEntry extends TarHead {
  /** Must be read, or left, before the next entry is asked for. */
  readonly body: AsyncIterable<Buffer>;
}

/**
 * Reads what `encodeHead` writes and nothing else: the archive may come from anybody. Memory is bounded
 * by the chunks of `source`; no size that a header claims is ever allocated.
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  const input = new Input(source);
  try {
    for (;;) {
      const head = await readHead(input);
      if (head === null) break;
      const body = readBody(input, head.sizeBytes);
      yield { ...head, body };
      // What the visitor left is not skipped unseen: it goes the same way.
      for await (const _ of body);
      await input.skip((BLOCK_BYTES - (head.sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES);
    }
    await expectEnd(input);
  } finally {
    await input.close();
  }
}

async function readHead(input: Input): Promise<TarHead | null> {
  let pax = new Map<string, Buffer>();
  for (let first = true; ; first = false) {
    const block = decodeBlock(await input.take(BLOCK_BYTES));
    if (block === null) {
      if (first) return null;
      throw new ArchiveRefusedError('the archive ends between a pax header and its entry');
    }
    if (block.type === 'x' && first) {
      if (block.sizeBytes > MAX_PAX_BYTES) {
        throw new ArchiveRefusedError(`the archive holds a pax header of ${block.sizeBytes} bytes`);
      }
      pax = decodePax(await input.take(block.sizeBytes));
      await input.skip((BLOCK_BYTES - (block.sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES);
      continue;
    }
    const nameBytes = pax.get('path') ?? block.name;
    if (block.type !== '0' && block.type !== '\0' && block.type !== '5') {
      const name = JSON.stringify(nameBytes.subarray(0, 200).toString('utf8'));
      const kind = OTHER_TYPES[block.type] ?? `an entry of the kind ${JSON.stringify(block.type)}`;
      throw new ArchiveRefusedError(`the archive holds ${kind} (${name}), which no backup does`);
    }
    const type = block.type === '5' ? 'directory' : 'file';
    const sizeBytes = sizeOf(block.sizeBytes, pax.get('size'));
    if (type === 'directory' && sizeBytes !== 0) {
      throw new ArchiveRefusedError('the archive holds a directory with content');
    }
    return {
      name: checkEntryName(nameBytes, type),
      type,
      sizeBytes,
      mode: block.mode,
      mtimeMs: block.mtimeMs,
    };
  }
}

function sizeOf(inBlock: number, inPax: Buffer | undefined): number {
  if (inPax === undefined) return inBlock;
  const text = inPax.toString('latin1');
  const size = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(size)) return size;
  throw new ArchiveRefusedError('the archive holds an entry whose size is no number');
}

/** No generator: a visitor that breaks off its loop would end one, and what is left would be taken for a header. */
function readBody(input: Input, sizeBytes: number): AsyncIterable<Buffer> {
  let left = sizeBytes;
  const iterator: AsyncIterator<Buffer> = {
    async next() {
      if (left === 0) return { done: true, value: undefined };
      const value = await input.some(left);
      left -= value.length;
      return { done: false, value };
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}

async function expectEnd(input: Input): Promise<void> {
  const second = await input.rest();
  let bytes = 0;
  for await (const chunk of second) {
    bytes += chunk.length;
    if (!isEmpty(chunk)) throw new ArchiveRefusedError('something follows the end of the archive');
    if (bytes > MAX_TRAILER_BYTES) throw new ArchiveRefusedError('the end of the archive does not end');
  }
  if (bytes < BLOCK_BYTES) throw new ArchiveRefusedError('the archive breaks off at its end');
}

/** Bytes on demand, never more than one chunk held besides what was asked for. */
class Input {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #held: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#iterator = source[Symbol.asyncIterator]();
  }

  /** Between one and `limit` bytes. */
  async some(limit: number): Promise<Buffer> {
    while (this.#held.length === 0) {
      const next = await this.#iterator.next();
      if (next.done) throw new ArchiveRefusedError('the archive breaks off; it is not whole');
      this.#held = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
    }
    const part = this.#held.subarray(0, limit);
    this.#held = this.#held.subarray(part.length);
    return part;
  }

  /** Exactly so many; for small numbers alone. */
  async take(count: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let left = count; left > 0; left -= parts.at(-1)!.length) parts.push(await this.some(left));
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  async skip(count: number): Promise<void> {
    if (count > 0) await this.take(count);
  }

  async *rest(): AsyncGenerator<Buffer> {
    if (this.#held.length > 0) yield this.#held;
    for (;;) {
      const next = await this.#iterator.next();
      if (next.done) return;
      yield Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
    }
  }

  /** Whoever stops early lets the source go. */
  async close(): Promise<void> {
    await this.#iterator.return?.();
  }
}
