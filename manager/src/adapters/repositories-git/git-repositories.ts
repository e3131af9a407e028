import { mkdir, rename } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Repositories } from '../../ports/repositories.ts';
import { BundleRefusedError } from '../../ports/repositories.ts';
import { errorCode, isMissing, syncDirectory } from '../durable-file.ts';
import type { BundleHeader } from './bundle-header.ts';
import { createBundle } from './create-bundle.ts';
import { createRepository } from './create-repository.ts';
import { gitProgram } from './git-process.ts';
import { layOutCommit } from './lay-out.ts';
import { commitTree, isAncestor, mergeCommits } from './merge-commits.ts';
import { diffCommits, haveSameTree, listCommitFiles, readCommitFile, treeOf } from './read-commit.ts';
import { attemptRef, candidateRef, MAIN, readRef, requireCommit, requireProject, updateRef } from './refs.ts';
import { createRepacker } from './repack.ts';
import { createRepositoryPaths } from './repository-paths.ts';
import { takeBundle } from './take-bundle.ts';
import { createTurns } from './turns.ts';

/** Two cores take packs in at once; more would only take memory from each other. */
const HEAVY_AT_ONCE = 2;

/**
 * Repositories below `<workspace>/projects`. `git` is the program's name or path, `path` the PATH in
 * which it and its subcommands are found.
 */
export function createGitRepositories(options: {
  readonly workspace: string;
  readonly git?: string;
  readonly path?: string;
}): Repositories {
  const program = gitProgram(options);
  const workspace = resolve(options.workspace);
  const paths = createRepositoryPaths(workspace);
  const repackWhenScattered = createRepacker(program);
  const heavy = createTurns(HEAVY_AT_ONCE);
  const layOuts = new Map<string, ReturnType<typeof createTurns>>();

  return {
    create: (project) => createRepository(program, paths, project),

    async remove(project, stamp) {
      if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(stamp)) throw new Error(`no stamp: ${stamp}`);
      const gitDir = paths.gitDirOf(project);
      await mkdir(paths.removed, { recursive: true });
      for (let n = 1; ; n++) {
        const name = n === 1 ? `${project}-${stamp}.git` : `${project}-${stamp}-${n}.git`;
        try {
          await rename(gitDir, join(paths.removed, name));
          break;
        } catch (error) {
          if (isMissing(error)) return;
          // A project of this name was made and removed before under the same stamp.
          if (!['ENOTEMPTY', 'EEXIST'].includes(errorCode(error) ?? '')) throw error;
        }
      }
      await syncDirectory(paths.removed);
      await syncDirectory(paths.projects);
    },

    async importBundle(project, bundlePath) {
      const gitDir = await paths.requireGitDir(project);
      const ref = candidateRef;
      const commit = await heavy.take(() =>
        takeBundle(program, paths, { gitDir, bundlePath, choose: chooseHead, starts: [], ref }),
      );
      await repackWhenScattered(gitDir);
      return commit;
    },

    async receive({ project, bundlePath, starts, taskId, attempt }) {
      const gitDir = await paths.requireGitDir(project);
      for (const start of starts) requireCommit(start);
      const ref = (commit: string) => attemptRef({ taskId, attempt, commit });
      const commit = await heavy.take(() =>
        takeBundle(program, paths, { gitDir, bundlePath, choose: chooseDbox, starts, ref }),
      );
      await repackWhenScattered(gitDir);
      return commit;
    },

    async bundle({ project, commit, main = null, have }) {
      const gitDir = await paths.requireGitDir(project);
      const path = await paths.temporary(gitDir, 'bundle');
      return heavy.take(() => createBundle(program, { gitDir, commit, main, have, path }));
    },

    async isAncestor({ project, ancestor, descendant }) {
      return isAncestor(program, await paths.requireGitDir(project), ancestor, descendant);
    },

    async sameTree({ project, a, b }) {
      return haveSameTree(program, { gitDir: await paths.requireGitDir(project), a, b });
    },

    async merge({ project, main, attempt, message }) {
      return mergeCommits(program, { gitDir: await paths.requireGitDir(project), main, attempt, message });
    },

    async commitTreeOf({ project, treeOf: source, parent, message, at }) {
      const gitDir = await paths.requireGitDir(project);
      const atSeconds = Date.parse(at) / 1000;
      if (!Number.isFinite(atSeconds)) throw new Error(`no instant: ${at}`);
      const tree = await treeOf(program, gitDir, source);
      const parents = [requireCommit(parent)];
      const commit = await commitTree(program, { gitDir, tree, parents, message, atSeconds });
      await updateRef(program, gitDir, candidateRef(commit), commit);
      return commit;
    },

    async setMain(project, commit) {
      await updateRef(program, await paths.requireGitDir(project), MAIN, commit);
    },

    async readMain(project) {
      return readRef(program, await paths.requireGitDir(project), MAIN);
    },

    async diff({ project, from, to }) {
      return diffCommits(program, { gitDir: await paths.requireGitDir(project), from, to });
    },

    async listFiles({ project, commit }) {
      return listCommitFiles(program, { gitDir: await paths.requireGitDir(project), commit });
    },

    async readFile({ project, commit, path }) {
      return readCommitFile(program, { gitDir: await paths.requireGitDir(project), commit, path });
    },

    async layOut({ project, commit, taskId }) {
      const gitDir = await paths.requireGitDir(requireProject(project));
      const indexPath = await paths.temporary(gitDir, 'index');
      let turns = layOuts.get(taskId);
      if (turns === undefined) {
        turns = createTurns(1);
        layOuts.set(taskId, turns);
      }
      await turns.take(() => layOutCommit(program, { gitDir, commit, taskId, workspace, indexPath }));
      if (turns.isIdle()) layOuts.delete(taskId);
    },
  };
}

function chooseDbox(header: BundleHeader): string {
  const found = header.refs.find((ref) => ref.name === 'refs/heads/dbox');
  if (found !== undefined) return found.commit;
  throw new BundleRefusedError('the git bundle has no ref refs/heads/dbox; put the attempt there');
}

function chooseHead(header: BundleHeader): string {
  if (header.prerequisites.length > 0) {
    throw new BundleRefusedError(
      'the git bundle is not complete: it needs commits that are not in it; make it with `git bundle create FILE HEAD`',
    );
  }
  const head = header.refs.find((ref) => ref.name === 'HEAD');
  if (head !== undefined) return head.commit;
  const branches = header.refs.filter((ref) => ref.name.startsWith('refs/heads/'));
  if (branches.length === 1) return branches[0]!.commit;
  throw new BundleRefusedError(
    `the git bundle has ${branches.length} branches and no HEAD, so it does not say which one to take; make it with \`git bundle create FILE HEAD\``,
  );
}
