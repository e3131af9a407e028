import { readdir, realpath } from 'node:fs/promises';
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
