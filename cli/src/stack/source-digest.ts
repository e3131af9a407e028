import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What images are made of; `.dockerignore` lets nothing else in. */
const PARTS = [
  'package.json',
  'package-lock.json',
  '.npmrc',
  '.dockerignore',
  'contracts',
  'spec-kit',
  'archive',
  'sandbox',
  'probe',
  'gateway',
  'manager',
  'agent-sdk',
  'agents',
  'templates',
  'deploy/images',
];
const LEFT_OUT = /(^|\/)(node_modules|recorded)(\/|$)|\/src\/(.*\/)?testing(\/|$)|\.(test|testsuite)\.ts$/;

/** Changes when an image would; images carry it, so that nothing is built that is there already. */
export async function digestOfSource(checkoutDir: string): Promise<string> {
  const files: string[] = [];
  for (const part of PARTS) await collect(checkoutDir, part, files);
  const hash = createHash('sha256');
  for (const file of files.sort()) {
    hash
      .update(`${file}\0`)
      .update(await readFile(join(checkoutDir, file)))
      .update('\0');
  }
  return hash.digest('hex').slice(0, 16);
}

async function collect(root: string, path: string, files: string[]): Promise<void> {
  const entries = await readdir(join(root, path), { withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOTDIR') return null;
      throw error;
    },
  );
  if (entries === null) {
    files.push(path);
    return;
  }
  for (const entry of entries) {
    const below = `${path}/${entry.name}`;
    if (LEFT_OUT.test(below)) continue;
    if (entry.isDirectory()) await collect(root, below, files);
    else if (entry.isFile()) files.push(below);
  }
}
