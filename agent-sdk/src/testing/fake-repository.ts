import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ProblemError } from '@dbox/contracts';
import { git } from '../git.ts';

/** A file's text, or what else lies there. */
export type FakeFile =
  | string
  | { readonly executable: string }
  | { readonly linkTo: string }
  | { readonly bytes: Uint8Array };
export type FakeFiles = Readonly<Record<string, FakeFile>>;

export interface FakeCommit {
  readonly parents: readonly string[];
  readonly message: string;
  readonly author: string;
  readonly authoredAt: string;
  readonly committedAt: string;
}

/** The bare repository behind a fake manager, with what tests ask of it. */
export interface FakeRepository {
  readonly gitDir: string;
  /** A commit of exactly these files. */
  commit(o: {
    readonly files: FakeFiles;
    readonly parent?: string | null;
    readonly message?: string;
  }): Promise<string>;
  /** Path → text of every file of a commit. */
  files(commit: string): Promise<Record<string, string>>;
  /** Path → mode, such as `100755`. */
  modes(commit: string): Promise<Record<string, string>>;
  describe(commit: string): Promise<FakeCommit>;
  isAncestor(older: string, newer: string): Promise<boolean>;
  /** A bundle with `refs/heads/dbox` at the commit and, where others are named, `refs/heads/also-<n>`. */
  bundle(commit: string, also?: readonly string[]): Promise<Uint8Array<ArrayBuffer>>;
  /** Takes in a bundle as the manager does: its one ref must descend from the base. */
  receive(bundle: Uint8Array, base: string | null): Promise<string>;
  remove(): Promise<void>;
}

export async function createFakeRepository(): Promise<FakeRepository> {
  const dir = await mkdtemp(join(tmpdir(), 'dbox-fake-repository-'));
  const gitDir = join(dir, 'project.git');
  const run = (
    args: readonly string[],
    options: { cwd?: string; okExitCodes?: number[]; env?: Record<string, string> } = {},
  ) => git(args, { cwd: gitDir, ...options });
  await git(['init', '--quiet', '--bare', '--template=', gitDir], { cwd: dir });
  let fileCount = 0;
  const fresh = (name: string) => {
    fileCount += 1;
    return join(dir, `${fileCount}-${name}`);
  };

  async function tree(files: FakeFiles): Promise<string> {
    const work = fresh('tree');
    await mkdir(work);
    for (const [path, file] of Object.entries(files)) {
      const target = join(work, path);
      await mkdir(dirname(target), { recursive: true });
      if (typeof file === 'string') await writeFile(target, file);
      else if ('linkTo' in file) await symlink(file.linkTo, target);
      else if ('bytes' in file) await writeFile(target, file.bytes);
      else {
        await writeFile(target, file.executable);
        await chmod(target, 0o755);
      }
    }
    const env = { GIT_DIR: gitDir, GIT_WORK_TREE: work, GIT_INDEX_FILE: fresh('index') };
    await run(['add', '--all', '--force', '.'], { cwd: work, env });
    const written = await run(['write-tree'], { cwd: work, env });
    await rm(work, { recursive: true });
    return written.stdout.trim();
  }

  async function list(commit: string) {
    const { stdout } = await run(['ls-tree', '-r', '-z', '--full-tree', commit]);
    return stdout
      .split('\0')
      .filter(Boolean)
      .map((line) => {
        const [meta, path] = line.split('\t') as [string, string];
        const [mode, , id] = meta.split(' ') as [string, string, string];
        return { mode, id, path };
      });
  }

  const isAncestor = async (older: string, newer: string) =>
    (await run(['merge-base', '--is-ancestor', older, newer], { okExitCodes: [1] })).exitCode === 0;

  return {
    gitDir,
    isAncestor,
    async commit({ files, parent = null, message = 'a commit' }) {
      const identity = { GIT_AUTHOR_NAME: 'Test', GIT_AUTHOR_EMAIL: 'test@example.invalid' };
      const { stdout } = await run(
        ['commit-tree', await tree(files), ...(parent === null ? [] : ['-p', parent]), '-m', message],
        { env: { ...identity, GIT_COMMITTER_NAME: 'Test', GIT_COMMITTER_EMAIL: 'test@example.invalid' } },
      );
      return stdout.trim();
    },
    async files(commit) {
      const found: Record<string, string> = {};
      for (const { id, path } of await list(commit))
        found[path] = (await run(['cat-file', 'blob', id])).stdout;
      return found;
    },
    async modes(commit) {
      return Object.fromEntries((await list(commit)).map(({ path, mode }) => [path, mode]));
    },
    async describe(commit) {
      const { stdout } = await run(['show', '-s', '--format=%P%x00%an <%ae>%x00%aI%x00%cI%x00%B', commit]);
      const [parents = '', author = '', authoredAt = '', committedAt = '', message = ''] = stdout.split('\0');
      return {
        parents: parents.split(' ').filter(Boolean),
        author,
        authoredAt,
        committedAt,
        message: message.trim(),
      };
    },
    async bundle(commit, also = []) {
      const file = fresh('source.bundle');
      await run(['update-ref', 'refs/heads/dbox', commit]);
      const refs = ['refs/heads/dbox'];
      for (const [index, other] of also.entries()) {
        await run(['update-ref', `refs/heads/also-${index}`, other]);
        refs.push(`refs/heads/also-${index}`);
      }
      await run(['bundle', 'create', '--quiet', file, ...refs]);
      return new Uint8Array(await readFile(file));
    },
    async receive(bundle, base) {
      const file = fresh('commit.bundle');
      await writeFile(file, bundle);
      const ref = `refs/received/${fileCount}`;
      const refused = (cause: unknown) => {
        throw new ProblemError('bundle_refused', `not a bundle of refs/heads/dbox on top of ${base}`, {
          cause,
        });
      };
      await run(['fetch', '--quiet', '--no-tags', file, `+refs/heads/dbox:${ref}`]).catch(refused);
      const commit = (await run(['rev-parse', ref])).stdout.trim();
      if (base !== null && !(await isAncestor(base, commit))) refused(null);
      return commit;
    },
    async remove() {
      await rm(dir, { recursive: true, force: true });
    },
  };
}
