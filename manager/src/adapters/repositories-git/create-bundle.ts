import { open, rm } from 'node:fs/promises';
import type { BundleFile } from '../../ports/repositories.ts';
import type { GitProgram } from './git-process.ts';
import { failure, runGit } from './git-process.ts';
import { requireCommit } from './refs.ts';

const PACK_TIMEOUT_MS = 300_000;

/**
 * Writes a bundle with the ref `refs/heads/dbox`, and `refs/heads/main` where asked. Done by hand, since `git bundle create` takes
 * names only from refs that exist and refuses to make one without new commits.
 */
export async function createBundle(
  program: GitProgram,
  given: {
    readonly gitDir: string;
    readonly commit: string;
    readonly main: string | null;
    readonly have: string | null;
    readonly path: string;
  },
): Promise<BundleFile> {
  const { gitDir, commit, main, have, path } = given;
  const known = have !== null && (await hasCommit(program, gitDir, have)) ? have : null;
  const mainRef = main === null ? '' : `${requireCommit(main)} refs/heads/main\n`;
  const header = `# v2 git bundle\n${known ? `-${known}\n` : ''}${requireCommit(commit)} refs/heads/dbox\n${mainRef}\n`;
  const dispose = () => rm(path, { force: true });
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(header);
    const call = {
      args: ['pack-objects', '--revs', '--stdout', '--thin', '--delta-base-offset', '-q'],
      gitDir,
      stdin: `${commit}\n${main === null ? '' : `${main}\n`}${known ? `^${known}\n` : ''}`,
      stdoutFd: file.fd,
      timeoutMs: PACK_TIMEOUT_MS,
    };
    const outcome = await runGit(program, call);
    if (outcome.exitCode !== 0) throw failure(call, outcome);
    const { size } = await file.stat();
    return { path, sizeBytes: size, dispose };
  } catch (error) {
    await dispose();
    throw error;
  } finally {
    await file.close();
  }
}

async function hasCommit(program: GitProgram, gitDir: string, commit: string): Promise<boolean> {
  const outcome = await runGit(program, {
    args: ['cat-file', '-e', `${requireCommit(commit)}^{commit}`],
    gitDir,
  });
  return outcome.exitCode === 0;
}
