import { open } from 'node:fs/promises';
import { MAX_BUNDLE_BYTES } from '@dbox/contracts';
import { BundleRefusedError } from '../../ports/repositories.ts';
import { type BundleHeader, readBundleHeader } from './bundle-header.ts';
import { refuseTree } from './check-tree.ts';
import type { GitProgram } from './git-process.ts';
import { failure, runGit } from './git-process.ts';
import { openQuarantine } from './quarantine.ts';
import { updateRef } from './refs.ts';
import type { RepositoryPaths } from './repository-paths.ts';

/** Walks every object of a history that is imported; the largest bundle takes a minute. */
const WALK_TIMEOUT_MS = 300_000;

export interface BundleToTake {
  readonly gitDir: string;
  readonly bundlePath: string;
  /** The commit that is asked for; throws `BundleRefusedError` where the bundle has none such. */
  readonly choose: (header: BundleHeader) => string;
  /** The commit must descend from at least one of these; none: from anything. */
  readonly starts: readonly string[];
  /** The ref that keeps the commit. */
  readonly ref: (commit: string) => string;
}

/**
 * Takes a commit out of a bundle that anybody may have made. Objects stay in quarantine until all is
 * checked; a refused bundle leaves neither object nor ref. Killed at any point, it may be repeated.
 */
export async function takeBundle(
  program: GitProgram,
  paths: RepositoryPaths,
  bundle: BundleToTake,
): Promise<string> {
  const { gitDir } = bundle;
  const file = await open(bundle.bundlePath);
  try {
    const { size } = await file.stat();
    if (size > MAX_BUNDLE_BYTES) {
      throw new BundleRefusedError(`the git bundle is larger than ${MAX_BUNDLE_BYTES} bytes`);
    }
    const header = await readBundleHeader(file);
    const commit = bundle.choose(header);
    const directory = await paths.temporary(gitDir, 'quarantine');
    const quarantine = await openQuarantine(program, gitDir, directory);
    try {
      await quarantine.unpack(file, MAX_BUNDLE_BYTES);
      const { env } = quarantine;
      await requireWholeHistory(program, { gitDir, env, commit });
      await requireDescent(program, { gitDir, env, commit, starts: bundle.starts });
      const refusal = await refuseTree(program, { gitDir, env }, commit);
      if (refusal !== null) {
        const where = refusal.path === '' ? '' : `${JSON.stringify(refusal.path.slice(0, 200))}: `;
        throw new BundleRefusedError(`the commit is refused: ${where}${refusal.reason}`);
      }
      await quarantine.accept();
    } finally {
      await quarantine.dispose();
    }
    await updateRef(program, gitDir, bundle.ref(commit), commit);
    return commit;
  } finally {
    await file.close();
  }
}

interface SentCommit {
  readonly gitDir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly commit: string;
}

/** Nothing may be missing between the commit and what the repository has. */
async function requireWholeHistory(program: GitProgram, { gitDir, env, commit }: SentCommit): Promise<void> {
  const type = await runGit(program, { args: ['cat-file', '-t', commit], gitDir, env });
  if (type.exitCode !== 0 || type.stdout.toString().trim() !== 'commit') {
    throw new BundleRefusedError('the ref of the git bundle names no commit that is in it');
  }
  const args = ['rev-list', '--objects', '--quiet', commit, '--not', '--all'];
  const call = { args, gitDir, env, timeoutMs: WALK_TIMEOUT_MS };
  const walked = await runGit(program, call);
  if (walked.timedOut) throw failure(call, walked);
  if (walked.exitCode !== 0) {
    throw new BundleRefusedError(
      'the git bundle lacks objects that its commit needs; make it on top of a commit this project has',
    );
  }
}

async function requireDescent(
  program: GitProgram,
  { gitDir, env, commit, starts }: SentCommit & { readonly starts: readonly string[] },
): Promise<void> {
  for (const start of starts) {
    const call = { args: ['merge-base', '--is-ancestor', start, commit], gitDir, env };
    const outcome = await runGit(program, call);
    if (outcome.exitCode === 0) return;
    if (outcome.exitCode !== 1) throw failure(call, outcome);
  }
  if (starts.length === 0) return;
  throw new BundleRefusedError(
    `commit ${commit} does not descend from ${starts.join(' or ')}, which the attempt began with; commit on top of it`,
  );
}
