import { ArchiveRefusedError } from './archive-refused.ts';

/** Longer than any the box makes; a data file may lie deep. */
const MAX_NAME_BYTES = 3000;

/**
 * The one form a name may have: relative, without empty, `.` or `..` segments, in UTF-8. Whatever
 * becomes a path passes here.
 */
export function checkEntryName(bytes: Uint8Array, type: 'file' | 'directory'): string {
  const shown = JSON.stringify(Buffer.from(bytes.subarray(0, 200)).toString('utf8'));
  let name: string;
  try {
    name = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new ArchiveRefusedError(`the archive holds a name that is not UTF-8: ${shown}`);
  }
  const path = type === 'directory' && name.endsWith('/') ? name.slice(0, -1) : name;
  const segments = path.split('/');
  if (bytes.length > MAX_NAME_BYTES || segments.some((one) => one === '' || one === '.' || one === '..')) {
    throw new ArchiveRefusedError(`the archive holds a name that leads astray: ${shown}`);
  }
  if (name.includes('\0')) throw new ArchiveRefusedError(`the archive holds a name with a NUL: ${shown}`);
  return path;
}
