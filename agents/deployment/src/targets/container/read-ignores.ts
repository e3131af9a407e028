import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type IgnoreTest, readIgnorePatterns } from './ignore-patterns.ts';

const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** As Docker does: the Dockerfile's own list goes before the tree's. */
export async function readIgnores(tree: string, dockerfile: string): Promise<IgnoreTest> {
  const text =
    (await readPlain(join(tree, `${dockerfile}.dockerignore`))) ??
    (await readPlain(join(tree, '.dockerignore')));
  const ignores = readIgnorePatterns(text ?? '');
  // The engine needs it, whatever the list says.
  return (path: string) => path !== dockerfile && ignores(path);
}

/** A file of the commit that is one: a link could lead out of the tree. Null where it is none, or too big to be read. */
export async function readPlain(file: string): Promise<string | null> {
  const entry = await lstat(file).catch(() => null);
  if (!entry?.isFile() || entry.size > MAX_FILE_BYTES) return null;
  return readFile(file, 'utf8');
}
