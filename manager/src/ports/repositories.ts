/** A bundle that is no bundle, breaks off, holds what git's own check refuses, or does not descend from its start. */
export class BundleRefusedError extends Error {
  override readonly name = 'BundleRefusedError';
}

/** A file on the manager's disk that the caller must dispose of when it has been sent. */
export interface BundleFile {
  readonly path: string;
  readonly sizeBytes: number;
  dispose(): Promise<void>;
}

/**
 * The projects' git repositories: bare, one a project, held by the manager alone. Hooks, filters and
 * submodules are off, objects are checked on entry. Every call may be repeated.
 */
export interface Repositories {
  /** Returns the root commit: an empty tree, the same hash everywhere, so that parallel first attempts share history. */
  create(project: string): Promise<string>;
  /** Takes the repository out of the way, to `removed/<project>-<stamp>.git`. */
  remove(project: string, stamp: string): Promise<void>;
  /** The commit of the bundle's HEAD (or only branch). */
  importBundle(project: string, bundlePath: string): Promise<string>;
  /**
   * The commit of the bundle's `refs/heads/dbox`, kept under a ref of its own for `taskId` and
   * `attempt`. Refused unless it descends from at least one of `starts`.
   */
  receive(input: {
    project: string;
    bundlePath: string;
    starts: readonly string[];
    taskId: string;
    attempt: number;
  }): Promise<string>;
  /**
   * History of `commit` as ref `refs/heads/dbox`, and of `main` as `refs/heads/main` where it is
   * given, without what `have` reaches; an unknown `have` is ignored.
   */
  bundle(input: {
    project: string;
    commit: string;
    main?: string | null;
    have: string | null;
  }): Promise<BundleFile>;
  isAncestor(input: { project: string; ancestor: string; descendant: string }): Promise<boolean>;
  sameTree(input: { project: string; a: string; b: string }): Promise<boolean>;
  /** The merge of two commits, the same hash each time; or the files in conflict. */
  merge(input: {
    project: string;
    main: string;
    attempt: string;
    message: string;
  }): Promise<{ outcome: 'merged'; commit: string } | { outcome: 'conflict'; files: string[] }>;
  /** A commit on `parent` whose tree is that of `treeOf`; the same hash each time. */
  commitTreeOf(input: {
    project: string;
    treeOf: string;
    parent: string;
    message: string;
    at: string;
  }): Promise<string>;
  /** Moves the repository's `main` to where the store says it is. */
  setMain(project: string, commit: string): Promise<void>;
  readMain(project: string): Promise<string | null>;
  /** Unified diff, at most 1 MiB, the cut marked. `from` null: against the empty tree. */
  diff(input: { project: string; from: string | null; to: string }): Promise<string>;
  listFiles(input: { project: string; commit: string }): Promise<string[]>;
  /** Null for a path that is no regular file or larger than 1 MiB. */
  readFile(input: { project: string; commit: string; path: string }): Promise<string | null>;
  /** Lays the commit out at `tasks/<taskId>/src` by an atomic swap. */
  layOut(input: { project: string; commit: string; taskId: string }): Promise<void>;
}
