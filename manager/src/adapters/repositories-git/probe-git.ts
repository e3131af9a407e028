import { GitError, git, gitProgram } from './git-process.ts';

/** `merge-tree --write-tree` came with 2.38. */
const OLDEST: readonly [number, number] = [2, 38];

/** Whether the host's git can do what the box needs; the problem says what to install. */
export async function probeGit(
  options: { readonly git?: string; readonly path?: string } = {},
): Promise<{ readonly version: string } | { readonly problem: string }> {
  const needed = `${OLDEST.join('.')} or newer`;
  let printed: string;
  try {
    printed = await git(gitProgram(options), { args: ['version'] });
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    return { problem: `git was not found or does not run. Install the package \`git\`, ${needed}.` };
  }
  const version = /(\d+)\.(\d+)(?:\.\d+)*/.exec(printed);
  if (version === null)
    return { problem: `git does not say its version. Install the package \`git\`, ${needed}.` };
  const [major, minor] = [Number(version[1]), Number(version[2])];
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    return {
      problem: `git ${version[0]} is too old: the box merges with ${needed}. Upgrade the package \`git\`.`,
    };
  }
  return { version: version[0] };
}
