import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openSqliteDatabase, StoreHeldError } from '../store-sql/index.ts';
import { hasTaskFile } from './store-place.ts';
import { WorkspaceStateError } from './workspace-state.ts';

/**
 * Keeps other restores and moves of this workspace out, and proves that no box with a store of its own
 * runs on it. The lock is SQLite's: it ends with the process, however that ends.
 */
export async function takeWorkspace(workspace: string): Promise<{ release(): Promise<void> }> {
  await mkdir(workspace, { recursive: true, mode: 0o700 });
  const turn = await openSqliteDatabase(join(workspace, '.restore.lock')).catch((error: unknown) => {
    if (!(error instanceof StoreHeldError)) throw error;
    throw new WorkspaceStateError(
      `another restore or migration is under way in ${workspace}; wait for its end`,
    );
  });
  await requireNoBox(workspace).catch(async (error: unknown) => {
    await turn.close();
    throw error;
  });
  return { release: () => turn.close() };
}

/** Throws `StoreHeldError` where a box runs on the workspace's own store. */
export async function requireNoBox(workspace: string): Promise<void> {
  if (!(await hasTaskFile(workspace))) return;
  const database = await openSqliteDatabase(join(workspace, 'task.db'));
  await database.close();
}
