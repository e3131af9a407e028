import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ArchiveRefusedError, type Manifest } from '@dbox/archive';
import type { Clock } from '../../ports/clock.ts';
import { isoOf } from '../../ports/clock.ts';
import type { StoredRow } from '../../ports/store-snapshot.ts';
import { writeWhole } from '../durable-file.ts';
import { createRepositoryArchive } from '../repositories-git/index.ts';
import type { PostgresAddress } from '../store-sql/index.ts';
import { type LoadTarget, openPostgresTarget, openSqliteTarget } from './load-target.ts';
import { StoreNames } from './names.ts';
import { recordStorePlace } from './store-place.ts';
import { readStoredRows } from './stored-rows.ts';
import { type Unpacked, unpack } from './unpack.ts';
import { verifyFiles } from './verify-files.ts';
import {
  beginRestore,
  endRestore,
  holdsBox,
  isRestoreUnfinished,
  moveIn,
  STAGING,
  setAside,
  stampOf,
  WorkspaceStateError,
} from './workspace-state.ts';
import { requireNoBox, takeWorkspace } from './workspace-turn.ts';

/**
 * Added to the topology's revision. Gateways and agents of the box that was lost may remember a later
 * one than the archive has, and follow only what is newer; no box changes its routes so often.
 */
const REVISIONS_AHEAD = 100_000;

export interface RestoreReport {
  readonly manifest: Manifest;
  /** Where what was there before lies now. */
  readonly former: readonly string[];
  readonly warnings: readonly string[];
}

interface Restore {
  readonly workspace: string;
  /** Null: a store in the workspace's own file. */
  readonly store: PostgresAddress | null;
  readonly source: AsyncIterable<Uint8Array>;
  /** Put a box that is there out of the way. */
  readonly force: boolean;
  readonly clock: Clock;
  readonly gitPath: string;
  readonly onStep: (step: string) => void;
}

/**
 * Makes the box of an archive again: unpacks all of it beside, checks it, loads the store in one
 * transaction, proves ledger, commits and artifacts, and only then moves everything in. Until then what
 * was there is as it was. A kill while it moves in leaves a mark, which keeps a box from starting on
 * half a workspace; the next restore begins anew. Nothing of a former box is ever deleted.
 */
export async function restoreBox(o: Restore): Promise<RestoreReport> {
  const turn = await takeWorkspace(o.workspace);
  try {
    const unfinished = await isRestoreUnfinished(o.workspace);
    if (!unfinished && !o.force && (await holdsBox(o.workspace)))
      throw notEmpty(`the workspace ${o.workspace}`);
    const target =
      o.store === null ? openSqliteTarget(o.workspace) : await openPostgresTarget(o.store, o.clock);
    try {
      if (!unfinished && !o.force && target.before !== null)
        throw notEmpty('the database that DBOX_STORE names');
      return await restoreInto(target, { ...o, force: o.force || unfinished });
    } finally {
      await target.close();
    }
  } finally {
    await turn.release();
  }
}

function notEmpty(what: string): WorkspaceStateError {
  return new WorkspaceStateError(
    `${what} holds a box already. Restore into another workspace (DBOX_WORKSPACE=DIR), or give --force: then the box that is there is put aside, whole, and nothing of it is deleted`,
  );
}

async function restoreInto(target: LoadTarget, o: Restore): Promise<RestoreReport> {
  const { workspace, onStep } = o;
  const staging = join(workspace, STAGING);
  const startedAt = isoOf(o.clock.nowMs());
  const stamp = stampOf(startedAt);
  // Left by one that was killed before it moved anything in.
  await rm(staging, { recursive: true, force: true });
  await mkdir(staging, { mode: 0o700 });
  try {
    onStep('checking and unpacking the archive');
    const unpacked = await unpack(o.source, staging, (opening) =>
      onStep(`a backup of ${opening.createdAt}, at event ${opening.ledger.seq}`),
    );
    onStep('making the repositories again');
    await restoreRepositories(staging, unpacked, o.gitPath);
    onStep('loading the store and proving its ledger');
    const names = await loadStore(target, unpacked, startedAt);
    onStep('looking for every commit and artifact that the ledger names');
    const { manifest } = unpacked;
    const warnings = await verifyFiles({ workspace: staging, names, manifest, gitPath: o.gitPath });
    const { seq, hash } = manifest.ledger;
    await writeWhole(join(staging, 'ledger.head'), `${JSON.stringify({ seq, hash })}\n`, { durable: true });

    await claimWorkspace(o, startedAt);
    onStep('moving everything in');
    const former = [await target.takePlace(stamp), await setAside(workspace, stamp)].filter(
      (one) => one !== null,
    );
    await moveIn(workspace);
    if (o.store !== null) await recordStorePlace(workspace, o.store, startedAt);
    await endRestore(workspace);
    return { manifest, former, warnings: [...warnings, ...manifest.skipped.map(tellSkipped)] };
  } catch (error) {
    if (!(await isRestoreUnfinished(workspace))) await rm(staging, { recursive: true, force: true });
    throw error;
  }
}

/**
 * From here on no box starts. One that came up meanwhile either sees the mark, or has the store already,
 * which is seen here.
 */
async function claimWorkspace({ workspace, force }: Restore, startedAt: string): Promise<void> {
  const wasMarked = await isRestoreUnfinished(workspace);
  await beginRestore(workspace, startedAt);
  try {
    await requireNoBox(workspace);
    if (!force && (await holdsBox(workspace))) throw notEmpty(`the workspace ${workspace}`);
  } catch (error) {
    if (!wasMarked) await endRestore(workspace);
    throw error;
  }
}

function tellSkipped({ name, reason }: Manifest['skipped'][number]): string {
  return `${JSON.stringify(name)} is not in the archive as it was: ${reason}`;
}

async function restoreRepositories(staging: string, { bundles }: Unpacked, gitPath: string): Promise<void> {
  const repositories = createRepositoryArchive({ workspace: staging, path: gitPath });
  // Those that were put aside pass through the place of their project, which must still be free then.
  const removedFirst = [...bundles].sort((a, b) => Number(isOwn(a)) - Number(isOwn(b)));
  for (const { place, project, path } of removedFirst) {
    try {
      await repositories.restore({ place, project, bundlePath: path });
    } catch (error) {
      if ((error as Error).name !== 'BundleRefusedError') throw error;
      throw new ArchiveRefusedError(
        `the repository ${place} cannot be made again: ${(error as Error).message}`,
        { cause: error },
      );
    }
    await rm(path);
  }
  await rm(join(staging, 'repositories'), { recursive: true, force: true });
}

function isOwn({ place }: { readonly place: string }): boolean {
  return place.startsWith('projects/');
}

async function loadStore(target: LoadTarget, unpacked: Unpacked, appliedAt: string): Promise<StoreNames> {
  const { manifest, rowFiles } = unpacked;
  const names = new StoreNames();
  async function* rows(): AsyncGenerator<{ table: string; row: StoredRow }> {
    for await (const one of readStoredRows(rowFiles)) {
      noteRow(names, one);
      yield one;
    }
  }
  try {
    await target.load({
      schema: manifest.schema,
      appliedAt,
      rows: rows(),
      expected: { head: manifest.ledger, tables: manifest.counts.tables },
      revisionsAhead: REVISIONS_AHEAD,
    });
  } catch (error) {
    if ((error as Error).name !== 'LoadRefusedError') throw error;
    throw new ArchiveRefusedError(`the store of the archive is refused: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return names;
}

function noteRow(names: StoreNames, { table, row }: { table: string; row: StoredRow }): void {
  try {
    names.note(table, row);
  } catch (error) {
    throw new ArchiveRefusedError(`a record of ${table} in the archive is not JSON`, { cause: error });
  }
}
