import { constants } from 'node:fs';
import { lstat, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { AttachedFile } from '@dbox/contracts';
import type { EngineFailure } from '../engine.ts';
import { findPathProblem, makeParents } from '../inner-path.ts';

/**
 * Lays recorded files over a tree. The recording is as little trusted as the tree: no path leaves it, none
 * reaches `.git`, none goes through a link. All paths are looked at before the first file is written.
 */
export async function overlayFiles(
  tree: string,
  files: readonly AttachedFile[],
): Promise<EngineFailure | null> {
  const seen = new Set<string>();
  for (const { path } of files) {
    const problem = seen.has(path) ? 'it is there twice' : findPathProblem(path);
    if (problem !== null) return refused(path, problem);
    seen.add(path);
  }
  for (const file of files) {
    const problem = await writeOver(tree, file);
    if (problem !== null) return refused(file.path, problem);
  }
  return null;
}

async function writeOver(tree: string, file: AttachedFile): Promise<string | null> {
  const blocked = await makeParents(tree, file.path);
  if (blocked !== null) return blocked;
  const target = join(tree, file.path);
  const stats = await lstat(target).catch(() => null);
  if (stats?.isDirectory()) return 'it is a directory';
  // A link is replaced by the file, never written through.
  if (stats !== null) await unlink(target);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const handle = await open(target, flags, file.executable ? 0o755 : 0o644);
  try {
    await handle.writeFile(Buffer.from(file.contentBase64, 'base64'));
  } finally {
    await handle.close();
  }
  return null;
}

function refused(path: string, problem: string): EngineFailure {
  return {
    cause: 'commit',
    detail: `the recorded file ${JSON.stringify(path.slice(0, 200))} cannot be used: ${problem}`,
  };
}
