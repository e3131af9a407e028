/*
 * Writes POSIX tar archives (pax: IEEE Std 1003.1, `pax` utility, "ustar Interchange Format" and "pax
 * Extended Header"): files, directories and links, which is all that the engine is given.
 */
const BLOCK_BYTES = 512;
/** What fits into the old fields; anything longer goes into an extended header. */
const MAX_NAME_BYTES = 100;
const MAX_SIZE_BYTES = 0o77777777777;

export interface TarEntry {
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'link';
  readonly mode: number;
  readonly sizeBytes?: number;
  readonly modifiedAtS?: number;
  readonly linkTarget?: string;
  readonly uid?: number;
}

const TYPE_FLAGS = { file: '0', link: '2', directory: '5' } as const;
/** Two empty blocks. */
export const TAR_END = Buffer.alloc(2 * BLOCK_BYTES);

/** The header block, after an extended one where something does not fit. */
export function tarHeader(entry: TarEntry): Buffer {
  const path = entry.kind === 'directory' && !entry.path.endsWith('/') ? `${entry.path}/` : entry.path;
  const target = entry.linkTarget ?? '';
  const sizeBytes = entry.kind === 'file' ? (entry.sizeBytes ?? 0) : 0;
  const extended: string[] = [];
  if (!fits(path)) extended.push(record('path', path));
  if (!fits(target)) extended.push(record('linkpath', target));
  if (sizeBytes > MAX_SIZE_BYTES) extended.push(record('size', String(sizeBytes)));
  const plain = block({ ...entry, path, linkTarget: target, sizeBytes }, TYPE_FLAGS[entry.kind]);
  if (extended.length === 0) return plain;
  const text = Buffer.from(extended.join(''));
  const pax = block({ path: 'pax', kind: 'file', mode: 0o644, sizeBytes: text.length }, 'x');
  return Buffer.concat([pax, text, tarPadding(text.length), plain]);
}

/** What fills up the last block of a file's bytes. */
export function tarPadding(sizeBytes: number): Buffer {
  return Buffer.alloc((BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES);
}

/** A small archive in one piece. */
export function tarOf(entries: readonly (TarEntry & { readonly content?: string | Buffer })[]): Buffer {
  const parts = entries.flatMap((entry) => {
    const content = Buffer.from(entry.content ?? '');
    return [tarHeader({ ...entry, sizeBytes: content.length }), content, tarPadding(content.length)];
  });
  return Buffer.concat([...parts, TAR_END]);
}

function fits(text: string): boolean {
  return Buffer.byteLength(text) <= MAX_NAME_BYTES && !/[^\x20-\x7e]/.test(text);
}

/** `LENGTH key=value\n`, where the length counts its own digits. */
function record(key: string, value: string): string {
  const bytes = Buffer.byteLength(` ${key}=${value}\n`);
  let length = bytes + String(bytes).length;
  length = bytes + String(length).length;
  return `${length} ${key}=${value}\n`;
}

function block(entry: TarEntry, typeFlag: string): Buffer {
  const header = Buffer.alloc(BLOCK_BYTES);
  const octal = (value: number, at: number, width: number) => {
    const kept = value >= 8 ** (width - 1) ? 0 : value;
    header.write(`${kept.toString(8).padStart(width - 1, '0')}\0`, at, 'latin1');
  };
  Buffer.from(entry.path).copy(header, 0, 0, MAX_NAME_BYTES);
  octal(entry.mode & 0o7777, 100, 8);
  octal(entry.uid ?? 0, 108, 8);
  octal(entry.uid ?? 0, 116, 8);
  octal(entry.sizeBytes ?? 0, 124, 12);
  octal(Math.max(0, Math.floor(entry.modifiedAtS ?? 0)), 136, 12);
  header.write(typeFlag, 156, 'latin1');
  Buffer.from(entry.linkTarget ?? '').copy(header, 157, 0, MAX_NAME_BYTES);
  header.write('ustar\0' + '00', 257, 'latin1');
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}
