import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { COMMIT_PATTERN, PROJECT_NAME_PATTERN, TASK_ID_PATTERN } from '@dbox/contracts';
import { isMissing } from '../durable-file.ts';
import type { GitProgram } from './git-process.ts';
import { failure, git, runGit } from './git-process.ts';

export const MAIN = 'refs/heads/main';

/** git calls end within minutes; a lock this old belongs to a machine that went down. */
const STALE_LOCK_MS = 10 * 60 * 1000;

/** Task ids differ by case and hold dots, ref names must not; so the id is written as hex. One ref a commit: a stale call never takes the place of a newer one. */
export function attemptRef(input: {
  readonly taskId: string;
  readonly attempt: number;
  readonly commit: string;
}): string {
  if (!TASK_ID_PATTERN.test(input.taskId) || !Number.isSafeInteger(input.attempt)) {
    throw new Error(`no attempt of a task: ${JSON.stringify(input)}`);
  }
  const task = Buffer.from(input.taskId).toString('hex');
  return `refs/dbox/attempts/${task}/${input.attempt}/${requireCommit(input.commit)}`;
}

/** Keeps a commit that the box made or took in, so that no clean-up drops it. */
export function candidateRef(commit: string): string {
  return `refs/dbox/candidates/${requireCommit(commit)}`;
}

/** Points a ref at a commit, whatever it pointed at before. Durable when it resolves. */
export async function updateRef(
  program: GitProgram,
  gitDir: string,
  ref: string,
  commit: string,
): Promise<void> {
  await removeStaleLocks(gitDir, ref);
  await git(program, { args: ['update-ref', '--no-deref', ref, requireCommit(commit)], gitDir });
}

export async function readRef(program: GitProgram, gitDir: string, ref: string): Promise<string | null> {
  const call = { args: ['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`], gitDir };
  const outcome = await runGit(program, call);
  if (outcome.exitCode === 0) return outcome.stdout.toString('utf8').trim();
  if (outcome.exitCode === 1) return null;
  throw failure(call, outcome);
}

/** What becomes an argument or a part of a path is checked once more, wherever it came from. */
export function requireCommit(commit: string): string {
  if (!COMMIT_PATTERN.test(commit)) throw new Error(`no commit: ${JSON.stringify(commit.slice(0, 80))}`);
  return commit;
}

export function requireProject(project: string): string {
  if (!PROJECT_NAME_PATTERN.test(project)) {
    throw new Error(`no project name: ${JSON.stringify(project.slice(0, 80))}`);
  }
  return project;
}

async function removeStaleLocks(gitDir: string, ref: string): Promise<void> {
  for (const lock of [join(gitDir, `${ref}.lock`), join(gitDir, 'packed-refs.lock')]) {
    try {
      const { mtimeMs } = await stat(lock);
      if (Date.now() - mtimeMs > STALE_LOCK_MS) await rm(lock, { force: true });
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
}
