import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { GitProgram } from './git-process.ts';
import { runGit } from './git-process.ts';

/** Each commit that is taken in is a pack of its own; git looks through all of them for every object. */
const SCATTERED_PACKS = 50;
const REPACK_TIMEOUT_MS = 300_000;

/**
 * Puts many small packs, and the refs, together, one call a repository at a time. Drops nothing; where it fails, the
 * repository is only slower and the next call tries again.
 */
export function createRepacker(program: GitProgram): (gitDir: string) => Promise<void> {
  const busy = new Set<string>();
  return async (gitDir) => {
    const names = await readdir(join(gitDir, 'objects', 'pack')).catch(() => []);
    if (names.filter((name) => name.endsWith('.idx')).length < SCATTERED_PACKS || busy.has(gitDir)) return;
    busy.add(gitDir);
    try {
      const timeoutMs = REPACK_TIMEOUT_MS;
      await runGit(program, { args: ['repack', '--geometric=2', '-d', '-q'], gitDir, timeoutMs });
      // Each attempt keeps a ref, and every check of a history reads them all.
      await runGit(program, { args: ['pack-refs', '--all'], gitDir, timeoutMs });
    } finally {
      busy.delete(gitDir);
    }
  };
}
