import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ProblemError } from '@dbox/contracts';
import { isMissing } from '../durable-file.ts';
import { requireProject } from './refs.ts';

/** No step takes this long; what is older was left behind by a box that was killed. */
const LEFTOVER_AGE_MS = 60 * 60 * 1000;

/** Where the repositories lie, and the room in each for what is not yet, or only for a moment, there. */
export interface RepositoryPaths {
  readonly projects: string;
  readonly removed: string;
  gitDirOf(project: string): string;
  /** The project's repository; a `not_found` problem where it has none. */
  requireGitDir(project: string): Promise<string>;
  /** A new path in the repository's own room for temporary files. */
  temporary(gitDir: string, what: string): Promise<string>;
}

export function createRepositoryPaths(workspace: string): RepositoryPaths {
  const projects = join(workspace, 'projects');
  const cleared = new Map<string, Promise<void>>();
  const gitDirOf = (project: string) => join(projects, `${requireProject(project)}.git`);

  return {
    projects,
    removed: join(workspace, 'removed'),
    gitDirOf,
    async requireGitDir(project) {
      const gitDir = gitDirOf(project);
      try {
        await stat(join(gitDir, 'HEAD'));
      } catch (error) {
        if (!isMissing(error)) throw error;
        throw new ProblemError('not_found', `project ${project} has no repository in this box`);
      }
      return gitDir;
    },
    async temporary(gitDir, what) {
      const room = join(gitDir, 'dbox-tmp');
      let clearing = cleared.get(room);
      if (clearing === undefined) {
        clearing = removeLeftovers(room);
        cleared.set(room, clearing);
      }
      await clearing;
      await mkdir(room, { recursive: true });
      return join(room, `${what}-${randomBytes(6).toString('hex')}`);
    },
  };
}

/** Once a room and process; several managers may share it, so only what is old is taken for left behind. */
export async function removeLeftovers(room: string): Promise<void> {
  const names = await readdir(room).catch(() => []);
  for (const name of names) {
    const path = join(room, name);
    const found = await stat(path).catch(() => null);
    if (found !== null && Date.now() - found.mtimeMs > LEFTOVER_AGE_MS) {
      await rm(path, { recursive: true, force: true });
    }
  }
}
