import { readFile, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readSearchPath } from './config.ts';

/** The programs that commands find first in their PATH, whatever the host has. */
export interface Toolchain {
  /** The pinned Node. */
  readonly nodeBin: string;
  /** The npm package's directory, which holds `bin/npm-cli.js`; null where the host has no npm. */
  readonly npmDir: string | null;
  /** A registry to use instead of the one npm is set to; null: npm is asked when something is installed. */
  readonly npmRegistry: string | null;
}

let found: Promise<Toolchain> | null = null;

export function findToolchain(): Promise<Toolchain> {
  found ??= findNpmDirectory(readSearchPath()).then((npmDir) => ({
    nodeBin: process.execPath,
    npmDir,
    npmRegistry: null,
  }));
  return found;
}

/** The first npm on the path that is npm's own package; version managers put scripts of their own there. */
export async function findNpmDirectory(searchPath: readonly string[]): Promise<string | null> {
  for (const directory of searchPath) {
    const candidates = [
      join(directory, 'npm'),
      // Where a manager's script stands for npm, the package lies beside the real node.
      join(directory, '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    ];
    for (const candidate of candidates) {
      const program = await realpath(candidate).catch(() => null);
      if (program === null || !program.endsWith('/bin/npm-cli.js')) continue;
      const npmDir = dirname(dirname(program));
      if (await isNpmPackage(npmDir)) return npmDir;
    }
  }
  return null;
}

async function isNpmPackage(directory: string): Promise<boolean> {
  try {
    const manifest: unknown = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8'));
    return (manifest as { name?: unknown } | null)?.name === 'npm';
  } catch {
    return false;
  }
}

/** First file of this name on the box's own path. */
export async function findProgram(name: string): Promise<string | null> {
  for (const directory of readSearchPath()) {
    const program = await realpath(join(directory, name)).catch(() => null);
    if (program !== null) return program;
  }
  return null;
}
