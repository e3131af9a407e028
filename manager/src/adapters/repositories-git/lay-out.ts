import { randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { TASK_ID_PATTERN } from '@dbox/contracts';
import { errorCode } from '../durable-file.ts';
import type { GitProgram } from './git-process.ts';
import { git } from './git-process.ts';
import { requireCommit } from './refs.ts';

const CHECKOUT_TIMEOUT_MS = 300_000;

/**
 * `tasks/<taskId>/src` as a link to a directory of exactly this commit. A reader sees the former tree
 * or the new one; killed at any point, the next call makes it right. One call a task at a time.
 */
export async function layOutCommit(
  program: GitProgram,
  input: { gitDir: string; commit: string; taskId: string; workspace: string; indexPath: string },
): Promise<void> {
  if (!TASK_ID_PATTERN.test(input.taskId)) throw new Error(`no task id: ${JSON.stringify(input.taskId)}`);
  const room = join(input.workspace, 'tasks', input.taskId);
  await mkdir(room, { recursive: true });
  const name = `.src-${requireCommit(input.commit)}`;
  // A directory gets this name only once it is complete.
  if ((await kindOf(join(room, name))) === null) {
    const made = join(room, `.new-${randomBytes(6).toString('hex')}`);
    await mkdir(made);
    await checkOut(program, { ...input, directory: made });
    await rename(made, join(room, name));
  }
  const link = join(room, `.new-${randomBytes(6).toString('hex')}`);
  await symlink(name, link);
  const target = join(room, 'src');
  // Only a person puts a directory here; it cannot be swapped, so it is moved out of the way.
  if ((await kindOf(target)) === 'directory') await rename(target, `${link}-former`);
  await rename(link, target);
  for (const other of await readdir(room)) {
    if (other === name || !/^\.(?:src|new)-/.test(other)) continue;
    await rm(join(room, other), { recursive: true, force: true });
  }
}

/** Files, links and executable bits as they are in the commit; the repository's `info/attributes` turns off all that would change them. */
async function checkOut(
  program: GitProgram,
  input: { gitDir: string; commit: string; directory: string; indexPath: string },
): Promise<void> {
  const { gitDir, commit, directory, indexPath } = input;
  const env = { GIT_INDEX_FILE: indexPath, GIT_WORK_TREE: directory };
  try {
    await git(program, { args: ['read-tree', commit], gitDir, env });
    await git(program, {
      args: ['checkout-index', '--all', '--force', '--quiet'],
      gitDir,
      env,
      cwd: directory,
      timeoutMs: CHECKOUT_TIMEOUT_MS,
    });
  } finally {
    await rm(indexPath, { force: true });
    await rm(`${indexPath}.lock`, { force: true });
  }
}

async function kindOf(path: string): Promise<'directory' | 'other' | null> {
  try {
    return (await lstat(path)).isDirectory() ? 'directory' : 'other';
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}
