import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileInside } from '../../inside-tree.ts';
import type { ContextPlan } from '../build-context.ts';
import { describeErrors } from '../findings/finding-list.ts';
import { lintDockerfile } from './lint-dockerfile.ts';

const MAX_BYTES = 256 * 1024;

/** Why a build must not begin, for whoever wrote its Dockerfile; null where it may. */
export async function judgeDockerfile(o: {
  readonly context: ContextPlan;
  readonly dockerfile: string;
  /** What people know it as, where the box has put it elsewhere. */
  readonly shownAs?: string;
  readonly args: Readonly<Record<string, string>>;
  readonly target: string | null;
  readonly boxName: string;
}): Promise<{ readonly detail: string; readonly errors: string } | null> {
  const { context, dockerfile } = o;
  const own = context.own.find(({ path }) => path === dockerfile);
  const file = o.shownAs ?? dockerfile;
  if (own !== undefined && context.under === '' && (await isThere(join(context.tree, dockerfile)))) {
    // Of two files of one name in an archive the later one counts: it would be built unread.
    const detail = `the commit has a file ${dockerfile}, which is a name of the box's own: choose another`;
    return { detail, errors: detail };
  }
  const text = own?.content.toString() ?? (await readFileInside(context.tree, dockerfile, MAX_BYTES));
  if (text === null) {
    const detail = `there is no file ${file} of at most ${MAX_BYTES / 1024} KiB`;
    return { detail, errors: detail };
  }
  const { args, target, boxName } = o;
  const { findings } = lintDockerfile({ text, file, args, target, boxName });
  const errors = describeErrors(findings);
  return errors === '' ? null : { detail: `${file} cannot be built here: ${errors.split('\n')[0]}`, errors };
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
