import { git } from '@dbox/agent-sdk';

/** Every repository knows this tree without having it. */
const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

/** Which commit's files the attempt is written on. An engine may go back to main where the former try is of no use. */
export interface BaseTree {
  readonly current: 'start' | 'main';
  /** Whether there is a main that differs from the start. */
  readonly hasOtherMain: boolean;
  /** Lays out these files and nothing else. False where the commit did not come with the job. */
  layOut(which: 'start' | 'main'): Promise<boolean>;
  /** The id of the tree object of all that lies there now; null where that is what the start holds. */
  writeChanges(): Promise<string | null>;
}

export interface BaseTreeOptions {
  readonly tree: string;
  readonly startCommit: string | null;
  readonly mainCommit: string | null;
  readonly signal: AbortSignal;
}

export function createBaseTree(o: BaseTreeOptions): BaseTree {
  let current: 'start' | 'main' = 'start';
  const at = { cwd: o.tree, signal: o.signal };
  return {
    get current() {
      return current;
    },
    hasOtherMain: o.mainCommit !== o.startCommit,
    async layOut(which) {
      const commit = which === 'start' ? o.startCommit : o.mainCommit;
      if (commit !== null) {
        const found = await git(['cat-file', '-e', `${commit}^{tree}`], { ...at, okExitCodes: [1, 128] });
        if (found.exitCode !== 0) return false;
      }
      await git(['read-tree', '--reset', '-u', commit ?? EMPTY_TREE], at);
      await git(['clean', '--quiet', '-ffdx'], at);
      current = which;
      return true;
    },
    async writeChanges() {
      await git(['add', '--all', '.'], at);
      const written = (await git(['write-tree'], at)).stdout.trim();
      return written === (await treeOf(o.startCommit, at)) ? null : written;
    },
  };
}

async function treeOf(
  commit: string | null,
  at: { readonly cwd: string; readonly signal: AbortSignal },
): Promise<string> {
  if (commit === null) return EMPTY_TREE;
  return (await git(['rev-parse', '--verify', `${commit}^{tree}`], at)).stdout.trim();
}
