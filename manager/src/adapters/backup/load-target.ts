import { join } from 'node:path';
import type { Clock } from '../../ports/clock.ts';
import type { StoreSnapshot } from '../../ports/store-snapshot.ts';
import {
  holdsAnything,
  type LoadedTables,
  loadTables,
  openPostgresDatabase,
  openSideSchema,
  openSqliteDatabase,
  openTableSource,
  type PostgresAddress,
} from '../store-sql/index.ts';
import { WAIT_FOR_SERVER_MS } from './offline.ts';
import { STAGING } from './workspace-state.ts';

/** A store that is being filled. It takes the place of what was there only when it is told to. */
export interface LoadTarget {
  /** Where the ledger in its place ends now; null where there is no store yet. */
  readonly before: StoreSnapshot['head'] | null;
  /** All or nothing; proven before it resolves. */
  load(tables: Omit<LoadedTables, 'database'>): Promise<void>;
  /** Returns where what was there lies now, in words; null where there was nothing. */
  takePlace(stamp: string): Promise<string | null>;
  /** Leaves nothing of a load that did not take its place. */
  close(): Promise<void>;
}

/** A new file in the workspace's staging room; `moveIn` gives it its place together with all other files. */
export function openSqliteTarget(workspace: string): LoadTarget {
  return {
    before: null,
    async load(tables) {
      const database = await openSqliteDatabase(join(workspace, STAGING, 'task.db'));
      try {
        await loadTables({ ...tables, database });
      } finally {
        await database.close();
      }
    },
    takePlace: async () => null,
    close: async () => {},
  };
}

/** Tables in a schema of their own, in a database that is held from now on. Throws `StoreHeldError`. */
export async function openPostgresTarget(address: PostgresAddress, clock: Clock): Promise<LoadTarget> {
  const database = await openPostgresDatabase({ address, clock, waitMs: WAIT_FOR_SERVER_MS });
  try {
    const isFull = await holdsAnything(database);
    const { head } = await openTableSource(database);
    const side = await openSideSchema(database);
    let placed = false;
    return {
      before: isFull ? head : null,
      load: (tables) => loadTables({ ...tables, database }),
      async takePlace(stamp) {
        const former = await side.swapIn(stamp);
        placed = true;
        return former === null ? null : `schema ${former} of the database`;
      },
      async close() {
        if (!placed) await side.drop().catch(() => undefined);
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}
