import { git } from '@dbox/agent-sdk';

export interface AttemptCommit {
  readonly tree: string;
  /** The tree object to commit. */
  readonly treeId: string;
  readonly taskId: string;
  readonly title: string;
  readonly attempt: number;
  readonly startCommit: string | null;
  /** Main, where the attempt was written on it instead of on the start; else null. */
  readonly mainCommit: string | null;
  readonly createdAt: string;
  readonly signal: AbortSignal;
}

const NAME = 'Developer in a Box';
const EMAIL = 'dbox@localhost';

/**
 * Commits on top of the start, and of main where it was written on that and the
 * start does not hold it. Author and dates are fixed, so the same files give the same commit.
 */
export async function commitAttempt(o: AttemptCommit): Promise<string> {
  const at = { cwd: o.tree, signal: o.signal };
  const parents = o.startCommit === null ? [] : [o.startCommit];
  if (o.mainCommit !== null && !(await isAncestor(o.mainCommit, o.startCommit, at)))
    parents.push(o.mainCommit);
  const date = `${Math.floor(Date.parse(o.createdAt) / 1000)} +0000`;
  const { stdout } = await git(['commit-tree', o.treeId, ...parents.flatMap((parent) => ['-p', parent])], {
    ...at,
    stdin: messageOf(o),
    env: {
      GIT_AUTHOR_NAME: NAME,
      GIT_AUTHOR_EMAIL: EMAIL,
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_NAME: NAME,
      GIT_COMMITTER_EMAIL: EMAIL,
      GIT_COMMITTER_DATE: date,
    },
  });
  const commit = stdout.trim();
  await git(['update-ref', '--no-deref', 'HEAD', commit], at);
  return commit;
}

type At = { readonly cwd: string; readonly signal: AbortSignal };

async function isAncestor(older: string, newer: string | null, at: At): Promise<boolean> {
  if (newer === null) return false;
  return (
    (await git(['merge-base', '--is-ancestor', older, newer], { ...at, okExitCodes: [1] })).exitCode === 0
  );
}

/** The title is a person's text: on one line it can add no trailers of its own. */
function messageOf({ taskId, title, attempt }: AttemptCommit): string {
  const subject = `${taskId}: ${title}`.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  return `${subject}\n\nDbox-Task: ${taskId}\nDbox-Attempt: ${attempt}\n`;
}
