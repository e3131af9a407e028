import { randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import { type Clock, isoOf } from '../../ports/clock.ts';
import type { Store } from '../../ports/store.ts';
import { LedgerHeadFile } from './ledger-head-file.ts';
import { type BeforeMigrate, migrate } from './migrations/index.ts';
import type { OpenDatabase, SnapshotDatabase } from './open-database.ts';
import type { Schema } from './schema.ts';
import { readEventHash, readLedgerEnd, SqlStore } from './sql-store.ts';
import { isBusy, nodeSqliteDialect, SQLITE_FLAVOR } from './sqlite-dialect.ts';
import { StoreHeldError } from './store-held-error.ts';

interface SqliteStoreOptions {
  /** The folder must exist. Never open this file by other means from the same process: closing it would drop SQLite's lock. */
  readonly path: string;
  readonly clock: Clock;
  /** Where the ledger's newest event is written down outside of the database; null for nowhere. */
  readonly headFile: string | null;
  readonly beforeMigrate?: BeforeMigrate | undefined;
}

/** Opens the store and holds it until it is closed. Throws `StoreHeldError` or `StoreTooNewError`. */
export async function openSqliteStore(o: SqliteStoreOptions): Promise<Store> {
  const database = await openSqliteDatabase(o.path);
  try {
    await removeCopies(o.path);
    await migrate({ ...database, appliedAt: isoOf(o.clock.nowMs()), beforeMigrate: o.beforeMigrate });
    const head = await readLedgerEnd(database);
    const headFile =
      o.headFile === null
        ? null
        : await LedgerHeadFile.open({
            path: o.headFile,
            clock: o.clock,
            head,
            hashOf: (seq) => readEventHash(database, seq),
          });
    return new SqlStore({ database, head, headFile });
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** Opened and held, not migrated. */
export async function openSqliteDatabase(path: string): Promise<OpenDatabase> {
  const database = openHeld(path);
  const dialect = nodeSqliteDialect(database);
  const driver = dialect.createDriver();
  await driver.init();
  return {
    builder: new Kysely<Schema>({ dialect }),
    connection: await driver.acquireConnection(),
    flavor: SQLITE_FLAVOR,
    snapshot: () => copyDatabase(database, path),
    close: () => driver.destroy(),
  };
}

/** Some 400 KB a step: between two steps the box's own commits get their turn. */
const COPY_PAGES = 100;

/**
 * A copy beside the database, page by page, by SQLite itself: what this connection commits meanwhile
 * goes into both, so the copy shows the moment at which it was done. Closing it removes it.
 */
async function copyDatabase(database: DatabaseSync, path: string): Promise<SnapshotDatabase> {
  const copy = `${path}${COPY_MARK}${randomBytes(6).toString('hex')}`;
  const remove = () =>
    Promise.all(['', '-wal', '-shm', '-journal'].map((end) => rm(`${copy}${end}`, { force: true })));
  try {
    await backup(database, copy, { rate: COPY_PAGES });
    const opened = await openSqliteDatabase(copy);
    return {
      ...opened,
      async close() {
        await opened.close();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

const COPY_MARK = '.copy-';

/** Copies that a killed process was reading. Only whoever holds the database may call it. */
async function removeCopies(path: string): Promise<void> {
  const names = await readdir(dirname(path));
  const left = names.filter((name) => name.startsWith(`${basename(path)}${COPY_MARK}`));
  await Promise.all(left.map((name) => rm(join(dirname(path), name), { force: true })));
}

function openHeld(path: string): DatabaseSync {
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(path, { timeout: 0, enableForeignKeyConstraints: true });
    // Exclusive before WAL: then there is no shared memory beside the file, and the lock is kept.
    database.exec('pragma locking_mode = exclusive');
    database.exec('pragma journal_mode = wal');
    // FULL: a commit is on the disk before it is acknowledged, also when the power fails.
    database.exec('pragma synchronous = full');
    // What savepoints set aside goes to memory; in temporary files it cost a third of the throughput.
    database.exec('pragma temp_store = memory');
    // A log that grew in a busy hour gives its space back.
    database.exec(`pragma journal_size_limit = ${16 * 1024 * 1024}`);
    // The lock is taken with the first access, which must not wait for the first piece of work.
    database.exec('begin exclusive; commit');
    return database;
  } catch (error) {
    database?.close();
    if (isBusy(error)) {
      throw new StoreHeldError({
        place: path,
        message: `Another process holds the task store ${path}: a box is running on this workspace. Use it, or stop it first.`,
        cause: error,
      });
    }
    throw new Error(`cannot open the task store ${path}: ${(error as Error).message}`, { cause: error });
  }
}
