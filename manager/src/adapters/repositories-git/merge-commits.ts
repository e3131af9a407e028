import { refuseTree } from './check-tree.ts';
import type { GitProgram } from './git-process.ts';
import { failure, git, runGit } from './git-process.ts';
import { candidateRef, requireCommit, updateRef } from './refs.ts';

/** A list for people; the conflict itself is what counts. */
const MAX_CONFLICT_FILES = 1_000;
const AUTHOR = 'Developer in a Box';
const ADDRESS = 'dbox@localhost';

export type MergeOutcome =
  | { readonly outcome: 'merged'; readonly commit: string }
  | { readonly outcome: 'conflict'; readonly files: string[] };

export async function mergeCommits(
  program: GitProgram,
  input: { gitDir: string; main: string; attempt: string; message: string },
): Promise<MergeOutcome> {
  const { gitDir, main, attempt } = input;
  // Where one holds the other already, a merge would add nothing.
  if (await isAncestor(program, gitDir, main, attempt)) return { outcome: 'merged', commit: attempt };
  if (await isAncestor(program, gitDir, attempt, main)) return { outcome: 'merged', commit: main };

  const options = ['--write-tree', '-z', '--name-only', '--no-messages', '--allow-unrelated-histories'];
  const call = { args: ['merge-tree', ...options, main, attempt], gitDir };
  const outcome = await runGit(program, call);
  if (outcome.exitCode !== 0 && outcome.exitCode !== 1) throw failure(call, outcome);
  const [tree = '', ...files] = outcome.stdout
    .toString('utf8')
    .split('\0')
    .filter((part) => part !== '');
  if (outcome.exitCode === 1) return { outcome: 'conflict', files: files.slice(0, MAX_CONFLICT_FILES) };

  const atSeconds = (await git(program, { args: ['show', '-s', '--format=%ct', attempt], gitDir })).trim();
  const commit = await commitTree(program, {
    gitDir,
    tree: requireCommit(tree),
    parents: [main, attempt],
    message: input.message,
    atSeconds: Number(atSeconds),
  });
  // Two good sides can make a bad whole: one moves a link, the other changes where it points.
  const refusal = await refuseTree(program, { gitDir }, commit);
  if (refusal !== null) return { outcome: 'conflict', files: [refusal.path] };
  await updateRef(program, gitDir, candidateRef(commit), commit);
  return { outcome: 'merged', commit };
}

export async function isAncestor(
  program: GitProgram,
  gitDir: string,
  ancestor: string,
  descendant: string,
): Promise<boolean> {
  const args = ['merge-base', '--is-ancestor', requireCommit(ancestor), requireCommit(descendant)];
  const outcome = await runGit(program, { args, gitDir });
  if (outcome.exitCode === 0) return true;
  if (outcome.exitCode === 1) return false;
  throw failure({ args }, outcome);
}

/** A commit in the box's own name. Nothing in it depends on when or where it is made. */
export function commitTree(
  program: GitProgram,
  input: { gitDir: string; tree: string; parents: readonly string[]; message: string; atSeconds: number },
): Promise<string> {
  const when = `@${Math.max(0, Math.floor(input.atSeconds))} +0000`;
  return git(program, {
    args: ['commit-tree', input.tree, ...input.parents.flatMap((parent) => ['-p', parent]), '-F', '-'],
    gitDir: input.gitDir,
    env: {
      GIT_AUTHOR_NAME: AUTHOR,
      GIT_AUTHOR_EMAIL: ADDRESS,
      GIT_AUTHOR_DATE: when,
      GIT_COMMITTER_NAME: AUTHOR,
      GIT_COMMITTER_EMAIL: ADDRESS,
      GIT_COMMITTER_DATE: when,
    },
    // git refuses a zero byte; a message is never empty.
    stdin: `${input.message.replaceAll('\0', '').trim() || 'Change without a message'}\n`,
  }).then((commit) => commit.trim());
}
