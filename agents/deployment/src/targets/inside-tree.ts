import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';

/** Whether the path is a directory that really lies in the tree, wherever links lead. */
export async function isDirectoryInside(tree: string, path: string): Promise<boolean> {
  try {
    const root = await realpath(tree);
    const found = await realpath(join(tree, path));
    if (found !== root && !found.startsWith(root + sep)) return false;
    await readdir(found);
    return true;
  } catch {
    return false;
  }
}

/** A file's text, where the file really lies in the tree and is not too big; else null. */
export async function readFileInside(tree: string, path: string, maxBytes: number): Promise<string | null> {
  try {
    const root = await realpath(tree);
    const found = await realpath(join(tree, path));
    if (!found.startsWith(root + sep)) return null;
    const entry = await stat(found);
    return entry.isFile() && entry.size <= maxBytes ? await readFile(found, 'utf8') : null;
  } catch {
    return null;
  }
}
