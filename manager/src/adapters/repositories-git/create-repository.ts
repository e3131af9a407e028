import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, isMissing, makeDirectory, syncDirectory } from '../durable-file.ts';
import type { GitProgram } from './git-process.ts';
import { git } from './git-process.ts';
import { commitTree } from './merge-commits.ts';
import { candidateRef, updateRef } from './refs.ts';
import type { RepositoryPaths } from './repository-paths.ts';
import { removeLeftovers } from './repository-paths.ts';

/**
 * Above a repository's own `.gitattributes`: no line ends, keywords, encodings, filters or merge
 * drivers, so that what is laid out and merged is what was committed.
 */
const ATTRIBUTES =
  '* -text !eol -ident !filter !working-tree-encoding !merge !diff !export-ignore !export-subst\n';

/** Makes the project's repository where there is none, and returns its root commit. */
export async function createRepository(
  program: GitProgram,
  paths: RepositoryPaths,
  project: string,
): Promise<string> {
  const gitDir = paths.gitDirOf(project);
  await makeDirectory(paths.projects);
  const room = join(paths.projects, '.new');
  if (!(await exists(gitDir))) {
    await removeLeftovers(room);
    const made = join(room, randomBytes(6).toString('hex'));
    await mkdir(made, { recursive: true });
    try {
      await git(program, {
        args: [
          'init',
          '--quiet',
          '--bare',
          '--template=',
          '--initial-branch=main',
          '--object-format=sha1',
          made,
        ],
        cwd: made,
      });
      await mkdir(join(made, 'info'), { recursive: true });
      await writeFile(join(made, 'info', 'attributes'), ATTRIBUTES);
      await rename(made, gitDir);
      await syncDirectory(paths.projects);
    } catch (error) {
      await rm(made, { recursive: true, force: true });
      // Another call was first; its repository is as good as ours.
      if (!['ENOTEMPTY', 'EEXIST'].includes(errorCode(error) ?? '')) throw error;
    }
  }
  return rootCommit(program, gitDir);
}

/** An empty tree at the beginning of time: the same hash in every box. */
async function rootCommit(program: GitProgram, gitDir: string): Promise<string> {
  const tree = (await git(program, { args: ['mktree'], gitDir, stdin: '' })).trim();
  const commit = await commitTree(program, {
    gitDir,
    tree,
    parents: [],
    message: 'Begin the project',
    atSeconds: 0,
  });
  await updateRef(program, gitDir, candidateRef(commit), commit);
  return commit;
}

async function exists(gitDir: string): Promise<boolean> {
  try {
    await stat(join(gitDir, 'HEAD'));
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
