import { execFile } from 'node:child_process';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type GitOutput, git } from '@dbox/agent-sdk';
import type { Mount } from '@dbox/sandbox';
import { TREE_INSIDE } from '@dbox/sandbox';

export type GitRunner = (args: readonly string[]) => Promise<GitOutput>;

export interface WorkingTree {
  readonly path: string;
  /** Shows commands the history, which they cannot write to. */
  readonly history: Mount;
  readonly git: GitRunner;
  /** Puts every file back as the commit has it and removes all others but `node_modules`. */
  reset(): Promise<void>;
}

/**
 * Takes the repository out of a checked-out tree before anything of that tree is run: what a command
 * writes into `.git` (filters, hooks, an index that lies) would otherwise be obeyed by the next git
 * that the agent itself runs there.
 */
export async function separateRepository(o: {
  readonly tree: string;
  readonly scratchDir: string;
  readonly commit: string;
  readonly signal: AbortSignal;
}): Promise<WorkingTree> {
  const repository = join(o.scratchDir, 'repository.git');
  await rename(join(o.tree, '.git'), repository);
  const run: GitRunner = (args) =>
    git(['--git-dir', repository, '--work-tree', o.tree, ...args], { cwd: o.tree, signal: o.signal });
  return {
    path: o.tree,
    history: { host: repository, inside: `${TREE_INSIDE}/.git` },
    git: run,
    async reset() {
      // A test may have taken its own directories away from everybody; links are not followed.
      await openUp(o.tree, o.signal);
      // Without the old index git trusts no time stamp and writes every file anew.
      await rm(join(repository, 'index'), { force: true });
      await run(['read-tree', o.commit]);
      await run(['clean', '-ffdxq', '-e', 'node_modules']);
      await run(['checkout-index', '--all', '--force', '--quiet']);
    },
  };
}

const OPEN_UP_TIMEOUT_MS = 60_000;

async function openUp(tree: string, signal: AbortSignal): Promise<void> {
  if (process.getuid?.() === 0) return;
  const run = promisify(execFile);
  await run('chmod', ['-R', 'u+rwX', tree], { timeout: OPEN_UP_TIMEOUT_MS, signal, killSignal: 'SIGKILL' });
}
