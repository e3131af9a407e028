import { lstat, mkdir } from 'node:fs/promises';

/** A directory of our own in a place where anybody may write: somebody else's, or a link, is refused. */
export async function makeRuntimeDir(path: string): Promise<void> {
  await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const found = await lstat(path);
  const ours = found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o077) === 0;
  if (!ours) {
    throw new Error(`${path} is not a private directory of this user; remove it and start the box again`);
  }
}
