import type { GitProgram } from './git-process.ts';
import { failure, git, runGit } from './git-process.ts';
import { requireCommit } from './refs.ts';
import { MAX_FILES, parseTreeEntry } from './tree-rules.ts';

const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';
const MAX_DIFF_BYTES = 1024 * 1024;
const MAX_READ_BYTES = 1024 * 1024;

export async function diffCommits(
  program: GitProgram,
  input: { gitDir: string; from: string | null; to: string },
): Promise<string> {
  const from = input.from === null ? EMPTY_TREE : requireCommit(input.from);
  const args = ['diff-tree', '-r', '-p', '-M', '-l400', '--no-ext-diff', '--no-textconv', '--no-color'];
  const call = {
    args: [...args, from, requireCommit(input.to)],
    gitDir: input.gitDir,
    maxOutputBytes: MAX_DIFF_BYTES,
  };
  const outcome = await runGit(program, call);
  const text = outcome.stdout.toString('utf8');
  if (outcome.cut) {
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    return `${whole}… cut here: the diff is larger than ${MAX_DIFF_BYTES} bytes\n`;
  }
  if (outcome.exitCode !== 0) throw failure(call, outcome);
  return text;
}

export async function listCommitFiles(
  program: GitProgram,
  input: { gitDir: string; commit: string },
): Promise<string[]> {
  const text = await git(program, {
    args: ['ls-tree', '-r', '-z', '--name-only', '--full-tree', requireCommit(input.commit)],
    gitDir: input.gitDir,
    // Every commit was counted on its way in.
    maxOutputBytes: MAX_FILES * 1_001,
  });
  return text.split('\0').filter((path) => path !== '');
}

export async function readCommitFile(
  program: GitProgram,
  input: { gitDir: string; commit: string; path: string },
): Promise<string | null> {
  const { gitDir, path } = input;
  if (path.includes('\0') || path.split('/').some((name) => ['', '.', '..'].includes(name))) return null;
  const args = ['ls-tree', '-l', '-z', '--full-tree', requireCommit(input.commit), '--', path];
  const outcome = await runGit(program, { args, gitDir });
  if (outcome.exitCode !== 0) throw failure({ args }, outcome);
  const end = outcome.stdout.indexOf(0);
  const entry = end < 0 ? null : parseTreeEntry(outcome.stdout.subarray(0, end));
  if (entry === null || entry.path !== path || !entry.mode.startsWith('100')) return null;
  if (entry.sizeBytes === null || entry.sizeBytes > MAX_READ_BYTES) return null;
  return git(program, { args: ['cat-file', 'blob', entry.object], gitDir });
}

export async function haveSameTree(
  program: GitProgram,
  input: { gitDir: string; a: string; b: string },
): Promise<boolean> {
  const [a, b] = await Promise.all([input.a, input.b].map((commit) => treeOf(program, input.gitDir, commit)));
  return a === b;
}

export async function treeOf(program: GitProgram, gitDir: string, commit: string): Promise<string> {
  const args = ['rev-parse', '--verify', '--end-of-options', `${requireCommit(commit)}^{tree}`];
  return (await git(program, { args, gitDir })).trim();
}
