import { GitError, git } from '@dbox/agent-sdk';

/**
 * Applies a patch to tree and index, whole or not at all. Git itself refuses paths outside of the tree,
 * in `.git` and through links. Returns git's message where it does not apply, else null.
 */
export async function applyPatch(o: {
  readonly tree: string;
  readonly patch: Uint8Array;
  readonly signal: AbortSignal;
}): Promise<string | null> {
  try {
    await git(['apply', '--index', '--whitespace=nowarn', '-'], {
      cwd: o.tree,
      stdin: o.patch,
      signal: o.signal,
    });
    return null;
  } catch (error) {
    if (!(error instanceof GitError) || error.exitCode === null) throw error;
    return error.stderr.trim().slice(0, 2_000) || 'git apply said nothing';
  }
}
