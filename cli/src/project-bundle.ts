import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Config } from './config.ts';
import { CliError } from './failure.ts';
import type { GitCall } from './git.ts';
import { git } from './git.ts';

/** The ref that source travels under. */
const REF = 'refs/heads/dbox';

export interface BundleSource {
  readonly config: Pick<Config, 'gitEnvironment'>;
  /** A directory, a local repository or a URL that git knows. */
  readonly from: string;
  readonly cwd: string;
  /** A private directory that may be filled. */
  readonly tempDir: string;
  /** Tells of something that stays behind. */
  readonly onWarning: (text: string) => void;
}

/** Makes a git bundle with one branch: a repository's HEAD with its history, or a directory as one commit. */
export async function bundleProject(source: BundleSource): Promise<string> {
  const repo = join(source.tempDir, 'repo.git');
  const call: GitCall = { config: source.config, cwd: source.tempDir };
  await git(['init', '--quiet', '--bare', '-b', 'dbox', repo], call);
  const inRepo: GitCall = { ...call, cwd: repo };

  if (isUrl(source.from)) {
    await fetchHead(source.from, inRepo);
  } else {
    const dir = resolve(source.cwd, source.from);
    const found = await stat(dir).catch(() => null);
    if (!found?.isDirectory()) {
      throw new CliError('usage', `${dir} is no directory.`, {
        hint: 'Give a directory, a git repository or its URL after --from.',
      });
    }
    if (await hasCommits(dir, call)) {
      const left = await git(['status', '--porcelain'], { ...call, cwd: dir, ownConfig: true }).catch(
        () => '',
      );
      if (left !== '') source.onWarning('Changes that are not committed stay behind.');
      await fetchHead(dir, inRepo);
    } else {
      await commitDirectory(dir, repo, inRepo);
    }
  }

  const bundle = join(source.tempDir, 'project.bundle');
  await git(['bundle', 'create', '--quiet', bundle, 'HEAD', REF], inRepo);
  return bundle;
}

function isUrl(from: string): boolean {
  return /^(?:https?|ssh|git|file):\/\//i.test(from) || /^[\w.-]+@[\w.-]+:/.test(from);
}

/** A repository without a commit is brought like any other directory. */
async function hasCommits(dir: string, call: GitCall): Promise<boolean> {
  const isRepository =
    existsSync(join(dir, '.git')) || (existsSync(join(dir, 'HEAD')) && existsSync(join(dir, 'objects')));
  if (!isRepository) return false;
  const there: GitCall = { ...call, cwd: dir, ownConfig: true };
  // Throws, in git's own words, where git refuses to read it: it is broken or another user's.
  await git(['rev-parse', '--git-dir'], there);
  return git(['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'], there).then(
    () => true,
    () => false,
  );
}

async function fetchHead(from: string, inRepo: GitCall): Promise<void> {
  const fetch = ['fetch', '--quiet', '--no-tags', '--no-recurse-submodules'];
  await git([...fetch, '--', from, `+HEAD:refs/imported/head`], { ...inRepo, ownConfig: true });
  await git(['update-ref', REF, 'refs/imported/head'], inRepo);
}

async function commitDirectory(dir: string, repo: string, inRepo: GitCall): Promise<void> {
  const env = { GIT_DIR: repo, GIT_WORK_TREE: dir };
  const call: GitCall = { ...inRepo, cwd: dir, env };
  await git(['config', 'core.bare', 'false'], inRepo);
  await git(['add', '--all', '--', '.'], call);
  const listed = (await git(['ls-files', '--stage'], call)).split('\n');
  const nested = listed.find((line) => line.startsWith('160000 '))?.split('\t')[1];
  if (nested !== undefined) {
    throw new CliError(
      'usage',
      `${join(dir, nested)} is a git repository of its own, so its files would be lost.`,
      {
        hint: 'Add that one as a project, or remove its .git, or list it in .gitignore.',
      },
    );
  }
  if (listed.join('') === '') {
    throw new CliError('usage', `${dir} holds no file to bring.`, {
      hint: 'What .gitignore names is left out. Without --from the project begins empty.',
    });
  }
  const author = ['-c', 'user.name=dbox', '-c', 'user.email=dbox@localhost'];
  await git([...author, 'commit', '--quiet', '--no-verify', '-m', 'Import the project'], call);
}
