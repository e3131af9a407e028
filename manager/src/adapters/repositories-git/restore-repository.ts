import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BundleRefusedError } from '../../ports/repositories.ts';
import { readBundleHeader } from './bundle-header.ts';
import { createRepository } from './create-repository.ts';
import type { GitProgram } from './git-process.ts';
import { failure, git, runGit } from './git-process.ts';
import { openQuarantine } from './quarantine.ts';
import { createRepositoryPaths } from './repository-paths.ts';

/** One of some ten thousand attempts has a ref each. */
const MAX_HEADER_BYTES = 64 * 1024 * 1024;
const MAX_LIST_BYTES = 64 * 1024 * 1024;
const WALK_TIMEOUT_MS = 300_000;
/** What the box itself makes; anything else is not the box's. */
const REF = /^refs\/(?:heads|tags|dbox)\/[A-Za-z0-9][A-Za-z0-9._/-]{0,300}$/;

/**
 * Makes a repository of a bundle that holds all of it. Objects pass git's own check before they count,
 * and nothing of the bundle but objects and refs is taken: no configuration, no hook.
 */
export async function restoreRepository(
  program: GitProgram,
  given: {
    readonly workspace: string;
    readonly project: string;
    readonly bundlePath: string;
    /** Where it ends up, when that is not where projects lie. */
    readonly gitDir?: string;
  },
): Promise<string> {
  const paths = createRepositoryPaths(given.workspace);
  await createRepository(program, paths, given.project);
  const made = paths.gitDirOf(given.project);
  await takeEverything(program, made, { ...given, room: await paths.temporary(made, 'quarantine') });
  if (given.gitDir === undefined) return made;
  await mkdir(dirname(given.gitDir), { recursive: true, mode: 0o700 });
  await rename(made, given.gitDir);
  return given.gitDir;
}

async function takeEverything(
  program: GitProgram,
  gitDir: string,
  { bundlePath, room }: { readonly bundlePath: string; readonly room: string },
): Promise<void> {
  const file = await open(bundlePath);
  try {
    const { size } = await file.stat();
    const header = await readBundleHeader(file, Math.min(size, MAX_HEADER_BYTES));
    const foreign = header.refs.find(({ name }) => !REF.test(name) || name.includes('..'));
    if (foreign !== undefined || header.prerequisites.length > 0 || header.refs.length === 0) {
      throw new BundleRefusedError('the git bundle is not one of a whole repository of a box');
    }
    const quarantine = await openQuarantine(program, gitDir, room);
    try {
      await quarantine.unpack(file, size);
      await requireHistory(program, {
        gitDir,
        env: quarantine.env,
        commits: header.refs.map((ref) => ref.commit),
      });
      await quarantine.accept();
    } finally {
      await quarantine.dispose();
    }
    const updates = header.refs.map(({ name, commit }) => `update ${name} ${commit}\n`);
    await git(program, { args: ['update-ref', '--no-deref', '--stdin'], gitDir, stdin: updates.join('') });
  } finally {
    await file.close();
  }
}

/** Every object that a ref leads to is there. */
async function requireHistory(
  program: GitProgram,
  given: {
    readonly gitDir: string;
    readonly env: Readonly<Record<string, string>>;
    readonly commits: readonly string[];
  },
): Promise<void> {
  const call = {
    args: ['rev-list', '--objects', '--quiet', '--stdin'],
    gitDir: given.gitDir,
    env: given.env,
    stdin: `${[...new Set(given.commits)].join('\n')}\n`,
    maxOutputBytes: MAX_LIST_BYTES,
    timeoutMs: WALK_TIMEOUT_MS,
  };
  const walked = await runGit(program, call);
  if (walked.timedOut) throw failure(call, walked);
  if (walked.exitCode !== 0) throw new BundleRefusedError('the git bundle lacks objects that its refs need');
}
