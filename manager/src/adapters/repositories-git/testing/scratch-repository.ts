import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';

const ENV = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'A',
  GIT_AUTHOR_EMAIL: 'a@example.org',
  GIT_AUTHOR_DATE: '@1700000000 +0000',
  GIT_COMMITTER_NAME: 'A',
  GIT_COMMITTER_EMAIL: 'a@example.org',
  GIT_COMMITTER_DATE: '@1700000000 +0000',
};

export function runPlainGit(cwd: string, args: readonly string[], input: string | Buffer = ''): string {
  const done = spawnSync('git', args, { cwd, env: ENV, input, timeout: 60_000, maxBuffer: 64 * 1024 * 1024 });
  if (done.status !== 0) throw new Error(`git ${args.join(' ')}: ${done.stderr?.toString()}`);
  return done.stdout.toString().trim();
}

export function newDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'dbox-git-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

type Files = Readonly<Record<string, string | { readonly link: string } | null>>;

/** An agent's own repository, and the bundles it makes of it. */
export function scratchRepository(t: TestContext) {
  const directory = newDirectory(t);
  const git = (...args: string[]) => runPlainGit(directory, args);
  git('init', '--quiet', '--initial-branch=dbox');
  let bundles = 0;

  /** Writes (or, with null, deletes) files on top of `parent` and commits all. */
  function commit(files: Files, parent?: string | null): string {
    if (parent) git('checkout', '--quiet', '-f', '-B', 'dbox', parent);
    if (parent === null) {
      git('checkout', '--quiet', '--orphan', 'fresh');
      git('rm', '-rfq', '--ignore-unmatch', '.');
      git('update-ref', '-d', 'refs/heads/dbox');
      git('symbolic-ref', 'HEAD', 'refs/heads/dbox');
    }
    for (const [path, content] of Object.entries(files)) {
      const file = join(directory, path);
      rmSync(file, { recursive: true, force: true });
      if (content === null) continue;
      mkdirSync(dirname(file), { recursive: true });
      if (typeof content === 'string') writeFileSync(file, content);
      else symlinkSync(content.link, file);
    }
    git('add', '-A', '-f');
    git('commit', '--quiet', '--allow-empty', '-m', 'change');
    return git('rev-parse', 'HEAD');
  }

  /** Adds files to the branch without a working tree, so that no attribute changes them on their way. */
  function commitBlobs(files: Readonly<Record<string, string>>): string {
    for (const [path, content] of Object.entries(files)) {
      git('update-index', '--add', '--cacheinfo', `100644,${blob(content)},${path}`);
    }
    git('commit', '--quiet', '-m', 'blobs');
    return git('rev-parse', 'HEAD');
  }

  /** A commit with exactly this raw tree, which git itself may find wrong. Names are written byte by byte. */
  function commitRawTree(
    entries: readonly { mode: string; name: string; object: string }[],
    parent?: string,
  ) {
    const tree = Buffer.concat(
      entries.map(({ mode, name, object }) =>
        Buffer.concat([Buffer.from(`${mode} ${name}\0`, 'latin1'), Buffer.from(object, 'hex')]),
      ),
    );
    const args = ['hash-object', '-t', 'tree', '-w', '--literally', '--stdin'];
    const id = runPlainGit(directory, args, tree);
    const made = git('commit-tree', id, ...(parent ? ['-p', parent] : []), '-m', 'raw');
    git('update-ref', 'refs/heads/dbox', made);
    return made;
  }

  function blob(content: string): string {
    return runPlainGit(directory, ['hash-object', '-w', '--stdin'], content);
  }

  function bundle(...revisions: string[]): string {
    const file = join(directory, '.git', `out-${++bundles}.bundle`);
    git('bundle', 'create', '--quiet', file, ...(revisions.length > 0 ? revisions : ['dbox']));
    return file;
  }

  /** Brings a commit in that the manager has, as an agent gets it. */
  function fetch(bundlePath: string): string {
    git('fetch', '--quiet', '--no-tags', bundlePath, '+refs/heads/dbox:refs/heads/source');
    return git('rev-parse', 'refs/heads/source');
  }

  return { directory, git, commit, commitBlobs, commitRawTree, blob, bundle, fetch };
}
