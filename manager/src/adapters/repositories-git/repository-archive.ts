import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { BundleFile } from '../../ports/repositories.ts';
import { bundleRepository, missingCommits } from './bundle-repository.ts';
import { gitProgram } from './git-process.ts';
import { requireProject } from './refs.ts';
import { createRepositoryPaths } from './repository-paths.ts';
import { restoreRepository } from './restore-repository.ts';

/** What `remove` puts behind a project's name. */
const REMOVED_STAMP = /^\d{4}-\d\d-\d\dT[0-9A-Za-z-]{1,40}\.git$/;

/** A repository of a project as it lies in the workspace. */
export interface FoundRepository {
  /** `projects/blog` or `removed/blog-2026-…`. */
  readonly place: string;
  readonly gitDir: string;
}

/** Repositories as whole files, for backups. */
export interface RepositoryArchive {
  /** Where the repositories of a project lie: in its place, and those put aside when it was removed, newest first. */
  find(project: string): Promise<FoundRepository[]>;
  /** All of it, with each of these commits that it has; the others are named. Null where it is empty. */
  bundle(
    found: FoundRepository,
    commits: readonly string[],
  ): Promise<{ readonly bundle: BundleFile | null; readonly missing: string[] }>;
  /** Makes the repository again at its place. */
  restore(given: {
    readonly place: string;
    readonly project: string;
    readonly bundlePath: string;
  }): Promise<void>;
  missing(found: FoundRepository, commits: readonly string[]): Promise<string[]>;
}

export function createRepositoryArchive(options: {
  readonly workspace: string;
  readonly path?: string;
}): RepositoryArchive {
  const program = gitProgram(options);
  const workspace = resolve(options.workspace);
  const paths = createRepositoryPaths(workspace);
  return {
    async find(project) {
      const own = paths.gitDirOf(project);
      const isThere = await stat(join(own, 'HEAD')).then(
        () => true,
        () => false,
      );
      const aside = (await readdir(paths.removed).catch(() => []))
        .filter((name) => isAside(name, project))
        .sort()
        .reverse();
      return [
        ...(isThere ? [{ place: `projects/${project}`, gitDir: own }] : []),
        ...aside.map((name) => ({
          place: `removed/${name.slice(0, -'.git'.length)}`,
          gitDir: join(paths.removed, name),
        })),
      ];
    },
    async bundle({ gitDir }, commits) {
      const path = await paths.temporary(gitDir, 'backup');
      return bundleRepository(program, { gitDir, commits, path });
    },
    async restore({ place, project, bundlePath }) {
      const aside = place.startsWith('removed/') ? { gitDir: join(workspace, `${place}.git`) } : {};
      await restoreRepository(program, { workspace, project, bundlePath, ...aside });
    },
    missing: ({ gitDir }, commits) => missingCommits(program, { gitDir, commits }),
  };
}

function isAside(name: string, project: string): boolean {
  const prefix = `${requireProject(project)}-`;
  return name.startsWith(prefix) && REMOVED_STAMP.test(name.slice(prefix.length));
}

/** The project whose repository lies at this place; null for a place that is none. */
export function projectOfPlace(place: string): string | null {
  const match =
    /^(?:projects\/([a-z0-9-]{1,48})|removed\/([a-z0-9-]{1,48})-(\d{4}-\d\d-\d\dT[0-9A-Za-z-]{1,40}))$/.exec(
      place,
    );
  const project = match?.[1] ?? match?.[2];
  if (project === undefined) return null;
  try {
    return requireProject(project);
  } catch {
    return null;
  }
}
