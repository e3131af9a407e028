import { join } from 'node:path';
import { type BeforeMigrate, openPostgresStore, openSqliteStore } from './adapters/store-sql/index.ts';
import type { ManagerConfig } from './config.ts';
import type { Clock } from './ports/clock.ts';
import type { Store } from './ports/store.ts';

/** A server that starts beside the box is there within seconds; `dbox up` gives up after a minute. */
const WAIT_FOR_SERVER_MS = 45_000;

export interface OpenStore {
  readonly config: Pick<ManagerConfig, 'workspace' | 'store'>;
  readonly clock: Clock;
  readonly headFile: string;
  readonly beforeMigrate?: BeforeMigrate | undefined;
  readonly log: (level: 'info' | 'warn' | 'error', message: string, data?: object) => void;
}

/** The store that the settings name, held by this process. */
export function openStore(o: OpenStore): Promise<Store> {
  const { store: address, workspace } = o.config;
  if (address === null) return openSqliteStore({ ...o, path: join(workspace, 'task.db') });
  return openPostgresStore({ ...o, address, waitMs: WAIT_FOR_SERVER_MS });
}
