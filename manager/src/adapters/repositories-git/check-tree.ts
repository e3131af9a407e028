import type { GitProgram } from './git-process.ts';
import { failure, runGit } from './git-process.ts';
import type { TreeEntry, TreeRefusal, TreeTotals } from './tree-rules.ts';
import { countEntry, isRefusal, MAX_LINK_BYTES, parseTreeEntry, refuseLink } from './tree-rules.ts';

/** More links than any package tree that is checked in by hand. */
const MAX_LINKS = 10_000;

/** Null where every entry of the commit's tree may be laid out; else the first that may not. */
export async function refuseTree(
  program: GitProgram,
  repository: { readonly gitDir: string; readonly env?: Readonly<Record<string, string>> },
  commit: string,
): Promise<TreeRefusal | null> {
  const links: TreeEntry[] = [];
  const refusal = await walkTree(program, { ...repository, commit }, (entry) => {
    if (entry.mode !== '120000') return null;
    links.push(entry);
    return links.length > MAX_LINKS
      ? { path: entry.path, reason: `the commit has more than ${MAX_LINKS} links` }
      : null;
  });
  if (refusal !== null || links.length === 0) return refusal;
  const targets = await readLinkTargets(program, repository, links);
  for (const link of links) {
    const refused = refuseLink(link.path, targets.get(link.object) ?? '');
    if (refused !== null) return refused;
  }
  return null;
}

/** Walks entry by entry, so that a tree that is a bomb ends at the first rule it breaks. */
async function walkTree(
  program: GitProgram,
  at: { readonly gitDir: string; readonly env?: Readonly<Record<string, string>>; readonly commit: string },
  visit: (entry: TreeEntry) => TreeRefusal | null,
): Promise<TreeRefusal | null> {
  let totals: TreeTotals = { entries: 0, files: 0, sizeBytes: 0 };
  let refusal: TreeRefusal | null = null;
  let rest = Buffer.alloc(0);
  const call = {
    args: ['ls-tree', '-r', '-t', '-l', '-z', '--full-tree', at.commit],
    gitDir: at.gitDir,
    ...(at.env ? { env: at.env } : {}),
    onOutput(chunk: Buffer): 'more' | 'enough' {
      rest = Buffer.concat([rest, chunk]);
      for (let end = rest.indexOf(0); end >= 0; end = rest.indexOf(0)) {
        const entry = parseTreeEntry(rest.subarray(0, end));
        rest = rest.subarray(end + 1);
        const counted = entry
          ? countEntry(totals, entry)
          : { path: '', reason: 'a path in the commit is no UTF-8' };
        if (isRefusal(counted)) refusal = counted;
        else totals = counted;
        refusal ??= entry ? visit(entry) : null;
        if (refusal !== null) return 'enough';
      }
      if (rest.length <= 64 * 1024) return 'more';
      refusal = { path: '', reason: 'a path in the commit is too long' };
      return 'enough';
    },
  };
  const outcome = await runGit(program, call);
  if (refusal !== null) return refusal;
  if (outcome.timedOut || outcome.exitCode === null) {
    return { path: '', reason: 'the tree of the commit could not be read to its end' };
  }
  if (outcome.exitCode !== 0) throw failure(call, outcome);
  return null;
}

async function readLinkTargets(
  program: GitProgram,
  repository: { readonly gitDir: string; readonly env?: Readonly<Record<string, string>> },
  links: readonly TreeEntry[],
): Promise<Map<string, string>> {
  const objects = [...new Set(links.map((link) => link.object))];
  const call = {
    args: ['cat-file', '--batch'],
    ...repository,
    stdin: `${objects.join('\n')}\n`,
    // Each is preceded by its name, type and size, and followed by a line feed.
    maxOutputBytes: objects.length * (MAX_LINK_BYTES + 64),
  };
  const outcome = await runGit(program, call);
  if (outcome.exitCode !== 0 || outcome.cut) throw failure(call, outcome);
  const targets = new Map<string, string>();
  let at = 0;
  for (const object of objects) {
    const lineEnd = outcome.stdout.indexOf(10, at);
    const [, , size] = outcome.stdout.toString('latin1', at, lineEnd).split(' ');
    const start = lineEnd + 1;
    const end = start + Number(size);
    targets.set(object, outcome.stdout.toString('utf8', start, end));
    at = end + 1;
  }
  return targets;
}
