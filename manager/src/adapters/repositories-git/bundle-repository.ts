import { open, rm } from 'node:fs/promises';
import type { BundleFile } from '../../ports/repositories.ts';
import type { GitProgram } from './git-process.ts';
import { failure, git, runGit } from './git-process.ts';
import { candidateRef, requireCommit } from './refs.ts';

/** All of a repository's history is packed; the largest take minutes. */
const PACK_TIMEOUT_MS = 300_000;
/** A line is some 150 bytes: half a million refs. */
const MAX_LIST_BYTES = 64 * 1024 * 1024;

/**
 * All refs of a repository with their history as one bundle, at `path`. Each of `commits` is in it by a
 * ref of its own where none led to it; those that the repository has not are given back as missing.
 * Null where there is nothing to pack. Refs that move meanwhile do not matter: they are read once.
 */
export async function bundleRepository(
  program: GitProgram,
  given: { readonly gitDir: string; readonly commits: readonly string[]; readonly path: string },
): Promise<{ readonly bundle: BundleFile | null; readonly missing: string[] }> {
  const { gitDir, path } = given;
  const listed = await git(program, {
    args: ['for-each-ref', '--format=%(objectname) %(refname)'],
    ...{ gitDir, maxOutputBytes: MAX_LIST_BYTES },
  });
  const refs = new Map(
    listed
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => [line.slice(41), line.slice(0, 40)] as const),
  );
  const missing = await missingCommits(program, { gitDir, commits: given.commits });
  const [tips, absent] = [new Set(refs.values()), new Set(missing)];
  for (const commit of given.commits) {
    if (!tips.has(commit) && !absent.has(commit)) refs.set(candidateRef(commit), commit);
  }
  if (refs.size === 0) return { bundle: null, missing };
  const file = await open(path, 'wx', 0o600);
  const dispose = () => rm(path, { force: true });
  try {
    const lines = [...refs].map(([name, commit]) => `${commit} ${name}\n`);
    await file.writeFile(`# v2 git bundle\n${lines.join('')}\n`);
    const call = {
      args: ['pack-objects', '--revs', '--stdout', '--delta-base-offset', '-q'],
      gitDir,
      stdin: `${[...new Set(refs.values())].join('\n')}\n`,
      stdoutFd: file.fd,
      timeoutMs: PACK_TIMEOUT_MS,
    };
    const outcome = await runGit(program, call);
    if (outcome.exitCode !== 0) throw failure(call, outcome);
    const { size } = await file.stat();
    return { bundle: { path, sizeBytes: size, dispose }, missing };
  } catch (error) {
    await dispose();
    throw error;
  } finally {
    await file.close();
  }
}

/** Those of the commits that the repository does not have. */
export async function missingCommits(
  program: GitProgram,
  given: { readonly gitDir: string; readonly commits: readonly string[] },
): Promise<string[]> {
  if (given.commits.length === 0) return [];
  const answer = await git(program, {
    args: ['cat-file', '--batch-check=%(objecttype)'],
    gitDir: given.gitDir,
    stdin: `${given.commits.map(requireCommit).join('\n')}\n`,
    maxOutputBytes: MAX_LIST_BYTES,
  });
  const lines = answer.split('\n');
  return given.commits.filter((_, index) => lines[index] !== 'commit');
}
