import { lstat, mkdir } from 'node:fs/promises';
import { join } from 'node:path';

/** What is wrong with a path that someone else chose for a file inside of a tree; null where nothing is. */
export function findPathProblem(path: string): string | null {
  if (path === '' || path.length > 1024) return 'it is empty or longer than 1024 characters';
  if (/[\p{Cc}\\]/u.test(path)) return 'it holds a control character or a backslash';
  if (path.startsWith('/') || /^[a-zA-Z]:/.test(path)) return 'it is absolute';
  for (const part of path.split('/')) {
    if (part === '' || part === '.' || part === '..') return 'it has an empty part, `.` or `..`';
    if (isGitName(part)) return 'it reaches into the repository itself';
    if (Buffer.byteLength(part) > 255) return 'one of its names is too long';
  }
  return null;
}

/** Every spelling that some file system takes for `.git`: case, trailing dots and spaces, short names, invisible characters. */
function isGitName(part: string): boolean {
  const visible = part.replace(/\p{Cf}/gu, '').toLowerCase();
  return /^\.git[ .]*$/.test(visible) || /^\.git[ .]*:/.test(visible) || /^git~\d+$/.test(visible);
}

/** Makes the directories above a file without ever going through a link. Says what is in the way; null where nothing is. */
export async function makeParents(tree: string, path: string): Promise<string | null> {
  let at = tree;
  for (const part of path.split('/').slice(0, -1)) {
    at = join(at, part);
    const stats = await lstat(at).catch(() => null);
    if (stats === null) await mkdir(at);
    else if (stats.isSymbolicLink()) return `it goes through the link ${part}`;
    else if (!stats.isDirectory()) return `${part} is a file`;
  }
  return null;
}
