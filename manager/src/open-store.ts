import { join } from 'node:path';
import {
  backUpBeforeMigration,
  recordStorePlace,
  requireFinishedRestore,
  requireOwnStore,
  type StoppedBox,
  WorkspaceStateError,
} from './adapters/backup/index.ts';
import {
  type BeforeMigrate,
  labelOf,
  openPostgresStore,
  openSqliteStore,
  readLedgerHead,
} from './adapters/store-sql/index.ts';
import type { ManagerConfig } from './config.ts';
import { ConfigError } from './config-error.ts';
import type { Clock } from './ports/clock.ts';
import { isoOf } from './ports/clock.ts';
import type { Store } from './ports/store.ts';

/** A server that starts beside the box is there within seconds; `dbox up` gives up after a minute. */
const WAIT_FOR_SERVER_MS = 45_000;

export interface OpenStore {
  readonly config: Pick<ManagerConfig, 'workspace' | 'store' | 'path'>;
  readonly clock: Clock;
  readonly headFile: string;
  readonly version: string;
  /** Whether the sites' data lies in the workspace. */
  readonly data: StoppedBox['data'];
  readonly log: (level: 'info' | 'warn' | 'error', message: string, data?: object) => void;
}

/**
 * The store that the settings name, held by this process. What a newer version changes in it is backed up
 * first; half a restored box, and a store that is not this workspace's, are refused.
 */
export async function openStore(o: OpenStore): Promise<Store> {
  const { store: address, workspace, path: gitPath } = o.config;
  const box: StoppedBox = {
    ...{ workspace, gitPath, store: address, clock: o.clock },
    ...{ boxVersion: o.version, data: o.data },
  };
  try {
    await requireFinishedRestore(workspace);
    await requireOwnStore(workspace, address);
    const store = await openNamed(o, async (pending) => {
      const path = await backUpBeforeMigration(box, pending);
      o.log('info', `the store is brought to the schema of this version; it was backed up to ${path}`);
    });
    try {
      // A restore that began meanwhile saw no box; now that the store is held, its mark is seen here.
      await requireFinishedRestore(workspace);
      await requireKnownLedger(store, o);
      if (address !== null) await recordStorePlace(workspace, address, isoOf(o.clock.nowMs()));
      return store;
    } catch (error) {
      await store.close();
      throw error;
    }
  } catch (error) {
    if (error instanceof WorkspaceStateError) throw new ConfigError(error.message, { cause: error });
    throw error;
  }
}

/**
 * An empty store beside a ledger that has come further is another database, or one that was lost. A box
 * that began anew on it would end every site it does not know.
 */
async function requireKnownLedger(store: Store, { config, headFile }: OpenStore): Promise<void> {
  const known = await readLedgerHead(headFile);
  if (known.kind !== 'head' || known.head.seq === 0) return;
  // A store that was ever used holds its tokens; one whose events alone are gone was edited, which
  // `events verify` tells.
  const isNew = await store.read(
    async (reader) => (await reader.events.head()) === null && (await reader.tokens.list()).length === 0,
  );
  if (!isNew) return;
  const place = config.store === null ? join(config.workspace, 'task.db') : labelOf(config.store);
  throw new WorkspaceStateError(
    `the task store ${place} is empty, but the box of ${config.workspace} has come to event ${known.head.seq} (${headFile}): give it its own store (DBOX_STORE), or \`dbox restore --force\` a backup; to begin anew, choose another workspace, or move ${headFile} away`,
  );
}

function openNamed(o: OpenStore, beforeMigrate: BeforeMigrate): Promise<Store> {
  const { store: address, workspace } = o.config;
  if (address === null) return openSqliteStore({ ...o, beforeMigrate, path: join(workspace, 'task.db') });
  return openPostgresStore({ ...o, beforeMigrate, address, waitMs: WAIT_FOR_SERVER_MS });
}
