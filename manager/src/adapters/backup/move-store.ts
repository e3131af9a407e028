import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isoOf } from '../../ports/clock.ts';
import type { StoredRow, StoreSnapshot } from '../../ports/store-snapshot.ts';
import { syncDirectory } from '../durable-file.ts';
import { labelOf, type PostgresAddress } from '../store-sql/index.ts';
import { type LoadTarget, openPostgresTarget, openSqliteTarget } from './load-target.ts';
import { openStoppedStore, type StoppedBox, saveBackup } from './offline.ts';
import { hasTaskFile, recordStorePlace } from './store-place.ts';
import { moveIn, STAGING, stampOf, WorkspaceStateError } from './workspace-state.ts';
import { takeWorkspace } from './workspace-turn.ts';

export interface MoveReport {
  readonly from: 'sqlite' | 'postgres';
  readonly to: 'sqlite' | 'postgres';
  /** Of the new store, without a password; null for the workspace's own file. */
  readonly address: string | null;
  readonly ledger: StoreSnapshot['head'];
  readonly rows: number;
  /** The archive that was made first. */
  readonly backup: string;
  /** Where the store that was left, and what was in the new one's place, lie now. */
  readonly former: readonly string[];
}

/**
 * Moves the store of a stopped box: backs up, copies every table with its keys, proves the ledger on the
 * other side, and then, in one step, makes the workspace that store's. Before that step nothing of the
 * box has changed, and a kill leaves a copy that the next try puts aside; after it the old store is no
 * longer opened.
 */
export async function moveStore(
  box: StoppedBox,
  o: { readonly to: PostgresAddress | null; readonly onStep: (step: string) => void },
): Promise<MoveReport> {
  if ((o.to === null) === (box.store === null)) {
    throw new WorkspaceStateError(`the box of ${box.workspace} has its store there already`);
  }
  const turn = await takeWorkspace(box.workspace);
  try {
    const opened = await openStoppedStore(box);
    let closing: Promise<void> | null = null;
    const source: StoreSnapshot = { ...opened, close: () => (closing ??= opened.close()) };
    try {
      await rm(join(box.workspace, STAGING), { recursive: true, force: true });
      await mkdir(join(box.workspace, STAGING), { mode: 0o700 });
      const target =
        o.to === null ? openSqliteTarget(box.workspace) : await openPostgresTarget(o.to, box.clock);
      try {
        await requireRoom(target, source);
        o.onStep('backing up');
        const backup = await saveBackup(box, source, 'migrate');
        o.onStep(`copying the store at event ${source.head.seq} and proving the ledger`);
        const rows = await copy(source, target, isoOf(box.clock.nowMs()));
        return { ...(await take(box, source, target, o.to)), backup, rows };
      } finally {
        await target.close();
      }
    } finally {
      await source.close();
      await rm(join(box.workspace, STAGING), { recursive: true, force: true });
    }
  } finally {
    await turn.release();
  }
}

/** Only an earlier state of this very ledger may be in the way: a move that was killed, or undone since. */
async function requireRoom({ before }: LoadTarget, source: StoreSnapshot): Promise<void> {
  if (before === null) return;
  if (before.seq > 0 && before.seq <= source.head.seq) {
    for await (const event of source.rows('events')) {
      if (event.seq === before.seq && event.hash === before.hash) return;
      if (Number(event.seq) >= before.seq) break;
    }
  }
  throw new WorkspaceStateError(
    'the database to move to holds something else already; give an empty one (createdb NAME)',
  );
}

async function copy(source: StoreSnapshot, target: LoadTarget, appliedAt: string): Promise<number> {
  const tables: Record<string, number> = {};
  for (const table of source.tables) {
    let count = 0;
    for await (const _ of source.rows(table)) count += 1;
    tables[table] = count;
  }
  async function* rows(): AsyncGenerator<{ table: string; row: StoredRow }> {
    for (const table of source.tables) for await (const row of source.rows(table)) yield { table, row };
  }
  await target.load({
    schema: source.schema,
    appliedAt,
    rows: rows(),
    expected: { head: source.head, tables },
    revisionsAhead: 0,
  });
  return Object.values(tables).reduce((sum, count) => sum + count, 0);
}

async function take(
  { workspace, clock }: StoppedBox,
  source: StoreSnapshot,
  target: LoadTarget,
  to: PostgresAddress | null,
): Promise<Omit<MoveReport, 'backup' | 'rows'>> {
  const now = isoOf(clock.nowMs());
  const former: (string | null)[] = [await target.takePlace(stampOf(now))];
  if (to === null) {
    // A file that is there was left by a move that was killed at its very end.
    former.push(await putTaskFileAway(workspace, stampOf(now)));
    await moveIn(workspace);
    // Until it says so, the file is not the box's.
    await recordStorePlace(workspace, null, now);
  } else {
    await recordStorePlace(workspace, to, now);
    // Nobody opens it any more; closed first, it is one file without a log.
    await source.close();
    former.push(await putTaskFileAway(workspace, stampOf(now)));
  }
  return {
    from: source.kind,
    to: to === null ? 'sqlite' : 'postgres',
    address: to === null ? null : labelOf(to),
    ledger: source.head,
    former: former.filter((one) => one !== null),
  };
}

async function putTaskFileAway(workspace: string, stamp: string): Promise<string | null> {
  const file = join(workspace, 'task.db');
  if (!(await hasTaskFile(workspace))) return null;
  const aside = `${file}.migrated-${stamp}`;
  await rename(file, aside);
  await syncDirectory(workspace);
  return aside;
}
