import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing, writeWhole } from '../durable-file.ts';
import { labelOf, type PostgresAddress } from '../store-sql/index.ts';
import { WorkspaceStateError } from './workspace-state.ts';

const FILE = 'store.json';

/** Where a workspace has its store: a database of its own, or a Postgres elsewhere. */
interface StorePlace {
  readonly kind: 'sqlite' | 'postgres';
  /** For people: without the password. */
  readonly address: string | null;
  readonly since: string;
}

/** Null where the workspace has never had another store than its own file. */
async function readStorePlace(workspace: string): Promise<StorePlace | null> {
  try {
    return JSON.parse(await readFile(join(workspace, FILE), 'utf8')) as StorePlace;
  } catch (error) {
    if (isMissing(error)) return null;
    throw new WorkspaceStateError(
      `${join(workspace, FILE)} says where this box has its store, and cannot be read: ${(error as Error).message}`,
    );
  }
}

/**
 * A box must not start on a store that is not its own: an empty one beside a full one looks like a box
 * that lost everything, and the one it left behind when it moved is old.
 */
export async function requireOwnStore(workspace: string, store: PostgresAddress | null): Promise<void> {
  const place = await readStorePlace(workspace);
  const kind = place?.kind ?? ((await hasTaskFile(workspace)) ? 'sqlite' : null);
  if (kind === null || (kind === 'sqlite') === (store === null)) return;
  throw new WorkspaceStateError(
    kind === 'postgres'
      ? `the box of ${workspace} has its store in Postgres since ${place?.since}: set DBOX_STORE=${place?.address} (with DBOX_STORE_PASSWORD_FILE), or move it back with \`dbox migrate --to sqlite\``
      : `the box of ${workspace} has its store in ${join(workspace, 'task.db')}: unset DBOX_STORE, or move the store there with \`dbox migrate\``,
  );
}

/** Durable when it resolves: from then on the workspace belongs to this store. */
export async function recordStorePlace(
  workspace: string,
  store: PostgresAddress | null,
  since: string,
): Promise<void> {
  const place: StorePlace = {
    kind: store === null ? 'sqlite' : 'postgres',
    address: store === null ? null : labelOf(store),
    since,
  };
  if ((await readStorePlace(workspace))?.kind === place.kind) return;
  await writeWhole(join(workspace, FILE), `${JSON.stringify(place)}\n`, { durable: true });
}

export function hasTaskFile(workspace: string): Promise<boolean> {
  return access(join(workspace, 'task.db')).then(
    () => true,
    () => false,
  );
}
