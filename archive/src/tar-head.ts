import { ArchiveRefusedError } from './archive-refused.ts';

/*
 * The part of POSIX.1-2001's pax format that a backup needs: files and directories, with a pax header
 * where a name or a size does not fit. https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html
 */

export const BLOCK_BYTES = 512;
/** Two empty blocks end an archive. */
export const END_OF_TAR = Buffer.alloc(2 * BLOCK_BYTES);
/** What eleven octal digits hold; anything larger is told in a pax header. */
const MAX_OCTAL_SIZE = 0o77777777777;
const NAME_BYTES = 100;

const FIELD = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  magic: [257, 8],
} as const satisfies Record<string, readonly [offset: number, length: number]>;

export interface TarHead {
  /** With `/` at its end for a directory. */
  readonly name: string;
  readonly type: 'file' | 'directory';
  readonly sizeBytes: number;
  /** Permission bits alone. */
  readonly mode: number;
  readonly mtimeMs: number;
}

/** One or, where the name or the size is long, three or more blocks. */
export function encodeHead(head: TarHead): Buffer {
  const nameBytes = Buffer.byteLength(head.name);
  const records: string[] = [];
  if (nameBytes > NAME_BYTES || !/^[\x20-\x7e]*$/.test(head.name)) records.push(paxRecord('path', head.name));
  if (head.sizeBytes > MAX_OCTAL_SIZE) records.push(paxRecord('size', String(head.sizeBytes)));
  if (records.length === 0) return encodeBlock(head, head.type === 'file' ? '0' : '5');
  const pax = Buffer.from(records.join(''));
  const paxHead = { ...head, name: 'pax-header', sizeBytes: pax.length, mode: 0o600 };
  // A reader that does not know pax headers still gets a name that is different for each entry.
  const cut = Buffer.from(head.name)
    .subarray(0, NAME_BYTES)
    .toString('latin1')
    .replaceAll(/[^ -~]/g, '_');
  return Buffer.concat([
    encodeBlock(paxHead, 'x'),
    pax,
    padding(pax.length),
    encodeBlock({ ...head, name: cut }, head.type === 'file' ? '0' : '5'),
  ]);
}

/** What fills the last block of a body. */
export function padding(sizeBytes: number): Buffer {
  return Buffer.alloc((BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES);
}

function encodeBlock(head: TarHead, type: '0' | '5' | 'x'): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  const octal = ([offset, length]: readonly [number, number], value: number) =>
    block.write(value.toString(8).padStart(length - 1, '0'), offset, length - 1, 'latin1');
  block.write(head.name, FIELD.name[0], NAME_BYTES, 'latin1');
  octal(FIELD.mode, head.mode & 0o777);
  octal(FIELD.uid, 0);
  octal(FIELD.gid, 0);
  octal(FIELD.size, Math.min(head.sizeBytes, MAX_OCTAL_SIZE));
  octal(FIELD.mtime, Math.max(0, Math.floor(head.mtimeMs / 1000)));
  block.write(type, FIELD.type[0], 1, 'latin1');
  block.write('ustar\x0000', FIELD.magic[0], 8, 'latin1');
  block.write(`${checksumOf(block).toString(8).padStart(6, '0')}\0 `, FIELD.checksum[0], 8, 'latin1');
  return block;
}

/** `length key=value\n`, where the length counts its own digits. */
function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest;
  while (String(length).length + rest !== length) length = String(length).length + rest;
  return `${length} ${key}=${value}\n`;
}

export interface DecodedBlock {
  readonly name: Buffer;
  readonly type: string;
  readonly sizeBytes: number;
  readonly mode: number;
  readonly mtimeMs: number;
}

/** Null for an empty block, which announces the end. */
export function decodeBlock(block: Buffer): DecodedBlock | null {
  if (isEmpty(block)) return null;
  const text = ([offset, length]: readonly [number, number]) =>
    block.subarray(offset, offset + length).toString('latin1');
  const octal = (field: readonly [number, number], what: string) => {
    const digits = text(field).replace(/[\0 ]+$/, '');
    if (!/^ *[0-7]{1,12}$/.test(digits)) {
      throw new ArchiveRefusedError(`a header of the archive is damaged: its ${what} is no number`);
    }
    return Number.parseInt(digits.trim(), 8);
  };
  if (!text(FIELD.magic).startsWith('ustar')) throw new ArchiveRefusedError('this is no tar archive');
  if (octal(FIELD.checksum, 'checksum') !== checksumOf(block)) {
    throw new ArchiveRefusedError('a header of the archive is damaged: its checksum is wrong');
  }
  const name = block.subarray(0, NAME_BYTES);
  const end = name.indexOf(0);
  return {
    name: end < 0 ? name : name.subarray(0, end),
    type: text(FIELD.type),
    sizeBytes: octal(FIELD.size, 'size'),
    mode: octal(FIELD.mode, 'mode') & 0o777,
    mtimeMs: octal(FIELD.mtime, 'time') * 1000,
  };
}

/** The records of a pax header, as bytes: a name may hold anything. */
export function decodePax(pax: Buffer): Map<string, Buffer> {
  const records = new Map<string, Buffer>();
  let at = 0;
  while (at < pax.length) {
    const space = pax.indexOf(' ', at);
    const equals = pax.indexOf('=', space);
    const length = Number(pax.subarray(at, Math.max(at, space)).toString('latin1'));
    const end = at + length;
    const whole = Number.isSafeInteger(length) && length > 0 && end <= pax.length && pax[end - 1] === 0x0a;
    if (space < 0 || equals < 0 || !whole || equals >= end) {
      throw new ArchiveRefusedError('a header of the archive is damaged: its pax records do not add up');
    }
    records.set(pax.subarray(space + 1, equals).toString('latin1'), pax.subarray(equals + 1, end - 1));
    at = end;
  }
  return records;
}

export function isEmpty(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

/** The sum of all bytes, its own field counted as spaces. */
function checksumOf(block: Buffer): number {
  let sum = 8 * 0x20;
  const [from, length] = FIELD.checksum;
  for (const [index, byte] of block.entries()) if (index < from || index >= from + length) sum += byte;
  return sum;
}
