export const MAX_FILES = 50_000;
export const MAX_FILE_BYTES = 64 * 1024 * 1024;
/** All files together, laid out: a small pack can hold one big file under many names. */
export const MAX_TREE_BYTES = 1024 * 1024 * 1024;
/** File systems take 255 bytes a name; a path must also fit below the workspace's own. */
const MAX_NAME_BYTES = 255;
const MAX_PATH_BYTES = 1_000;
/** Linux itself takes 4,095; what the rules allow is far shorter. */
export const MAX_LINK_BYTES = 1_000;

export interface TreeEntry {
  readonly mode: string;
  readonly type: string;
  readonly object: string;
  /** Null for what is no blob. */
  readonly sizeBytes: number | null;
  readonly path: string;
}

/** Why a commit's tree is not taken in. */
export interface TreeRefusal {
  readonly path: string;
  readonly reason: string;
}

export interface TreeTotals {
  readonly entries: number;
  readonly files: number;
  readonly sizeBytes: number;
}

/** One entry of `ls-tree -r -t -l -z`; null where it is none, or its path is no UTF-8. */
export function parseTreeEntry(record: Buffer): TreeEntry | null {
  const tab = record.indexOf(9);
  if (tab < 0) return null;
  const [mode, type, object, size] = record.toString('latin1', 0, tab).split(/ +/);
  if (mode === undefined || type === undefined || object === undefined || size === undefined) return null;
  const pathBytes = record.subarray(tab + 1);
  const path = pathBytes.toString('utf8');
  if (!Buffer.from(path, 'utf8').equals(pathBytes)) return null;
  return { mode, type, object, sizeBytes: size === '-' ? null : Number(size), path };
}

/** Adds an entry to the totals, or says why the tree is refused. Where links point is asked apart. */
export function countEntry(totals: TreeTotals, entry: TreeEntry): TreeTotals | TreeRefusal {
  const { path } = entry;
  const refuse = (reason: string): TreeRefusal => ({ path, reason });
  if (Buffer.byteLength(path) > MAX_PATH_BYTES || path.split('/').some(isLong)) {
    return refuse('the path is too long');
  }
  const entries = totals.entries + 1;
  // Directories count as well: trees of trees without a file would be walked for ever.
  if (entries > 2 * MAX_FILES)
    return refuse(`the commit has more than ${2 * MAX_FILES} files and directories`);
  if (entry.type === 'tree') return { ...totals, entries };
  if (entry.mode === '160000') {
    return refuse('is a submodule; submodules are not supported, so copy its files into the repository');
  }
  if (entry.type !== 'blob' || !['100644', '100755', '100664', '120000'].includes(entry.mode)) {
    return refuse(`has the mode ${entry.mode}; only files, executable files and links are taken`);
  }
  const files = totals.files + 1;
  const sizeBytes = totals.sizeBytes + (entry.sizeBytes ?? 0);
  if (files > MAX_FILES) return refuse(`the commit has more than ${MAX_FILES} files`);
  if ((entry.sizeBytes ?? 0) > MAX_FILE_BYTES) return refuse(`is larger than ${MAX_FILE_BYTES} bytes`);
  if (sizeBytes > MAX_TREE_BYTES) return refuse(`the files together are larger than ${MAX_TREE_BYTES} bytes`);
  if (entry.mode === '120000' && (entry.sizeBytes ?? 0) > MAX_LINK_BYTES) {
    return refuse('the target of the link is too long');
  }
  return { entries, files, sizeBytes };
}

export function isRefusal(value: TreeTotals | TreeRefusal): value is TreeRefusal {
  return 'reason' in value;
}

/**
 * Null where a link stays within its tree. `..` is only taken at the front: after a name, which may
 * itself be a link, the text of a target no longer says where it leads.
 */
export function refuseLink(path: string, target: string): TreeRefusal | null {
  const refuse = (reason: string): TreeRefusal => ({ path, reason: `is a link that ${reason}` });
  if (target === '' || target.includes('\0')) return refuse('points nowhere');
  if (target.startsWith('/')) return refuse(`points to an absolute path; use a relative one`);
  const steps = target.split('/').filter((step) => step !== '' && step !== '.');
  let up = 0;
  while (steps[up] === '..') up++;
  if (steps.includes('..', up)) return refuse('has `..` behind a name; write its target without');
  const depth = path.split('/').length - 1;
  return up > depth ? refuse('points out of the repository') : null;
}

function isLong(name: string): boolean {
  return Buffer.byteLength(name) > MAX_NAME_BYTES;
}
