import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Manifest, saveArchive } from '@dbox/archive';
import type { Clock } from '../../ports/clock.ts';
import { isoOf } from '../../ports/clock.ts';
import type { StoreSnapshot } from '../../ports/store-snapshot.ts';
import { createRepositoryArchive } from '../repositories-git/index.ts';
import {
  openPostgresDatabase,
  openSqliteDatabase,
  openTableSource,
  type PendingMigration,
  type PostgresAddress,
} from '../store-sql/index.ts';
import { hasTaskFile, requireOwnStore } from './store-place.ts';
import { requireFinishedRestore, stampOf, WorkspaceStateError } from './workspace-state.ts';
import { writeBackup } from './write-backup.ts';

/** A server that is started for this, in a container beside, is there within seconds. */
export const WAIT_FOR_SERVER_MS = 20_000;

export interface StoppedBox {
  readonly workspace: string;
  readonly store: PostgresAddress | null;
  readonly clock: Clock;
  readonly gitPath: string;
  readonly boxVersion: string;
  /** Whether the sites' data lies in the workspace. */
  readonly data: Manifest['data'];
}

/** The store of a box that does not run, held until it is closed. Throws `StoreHeldError` where it does. */
export async function openStoppedStore(
  box: Pick<StoppedBox, 'workspace' | 'store' | 'clock'>,
): Promise<StoreSnapshot> {
  await requireFinishedRestore(box.workspace);
  await requireOwnStore(box.workspace, box.store);
  if (box.store !== null)
    return openTableSource(
      await openPostgresDatabase({ address: box.store, clock: box.clock, waitMs: WAIT_FOR_SERVER_MS }),
    );
  if (!(await hasTaskFile(box.workspace))) {
    throw new WorkspaceStateError(`there is no box in ${box.workspace}; \`dbox up\` makes one`);
  }
  return openTableSource(await openSqliteDatabase(join(box.workspace, 'task.db')));
}

/** The archive of a box that does not run. The caller closes the snapshot, and with it lets the store go. */
export function backUpStopped(box: StoppedBox, snapshot: StoreSnapshot): AsyncGenerator<Buffer> {
  return writeBackup({
    ...box,
    // It is not only read but held: nobody shall start on it meanwhile.
    snapshot: { ...snapshot, close: async () => {} },
    repositories: createRepositoryArchive({ workspace: box.workspace, path: box.gitPath }),
    createdAt: isoOf(box.clock.nowMs()),
  });
}

/** An archive of its own in `backups/`, before something is done that cannot be taken back; returns its path. */
export async function saveBackup(box: StoppedBox, snapshot: StoreSnapshot, why: string): Promise<string> {
  const directory = join(box.workspace, 'backups');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, `before-${why}-${stampOf(isoOf(box.clock.nowMs()))}.tar`);
  await saveArchive({ path, source: backUpStopped(box, snapshot) });
  return path;
}

/** For a store that is about to be migrated by the process that holds it. */
export async function backUpBeforeMigration(box: StoppedBox, pending: PendingMigration): Promise<string> {
  const source = await openTableSource({ ...pending, close: async () => {} });
  return saveBackup(box, source, pending.missing[0] ?? 'migration');
}
