import { chmod, lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

export function scratchPath(stateDir: string, jobId: string, fence: number): string {
  return join(stateDir, 'jobs', `${jobId}-${fence}`);
}

/** A fresh directory for one lease. What a former process left under the same name is removed first. */
export async function makeScratchDir(dir: string): Promise<void> {
  await removeTree(dir);
  await mkdir(dir, { recursive: true, mode: 0o700 });
}

export async function removeLeftovers(stateDir: string): Promise<void> {
  await removeTree(join(stateDir, 'jobs'));
}

/** Removes a tree even where hostile code took away its own write permissions. Links are never followed. */
export async function removeTree(dir: string): Promise<void> {
  try {
    await rm(dir, { recursive: true, force: true });
  } catch {
    await openUp(dir);
    await rm(dir, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function openUp(dir: string): Promise<void> {
  const stats = await lstat(dir).catch(() => null);
  if (!stats?.isDirectory()) return;
  await chmod(dir, 0o700);
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    if (entry.isDirectory()) await openUp(join(dir, entry.name));
  }
}
