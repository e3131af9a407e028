import { CompiledQuery, sql } from 'kysely';
import type { Store } from '../../ports/store.ts';
import type { StoredRow } from '../../ports/store-snapshot.ts';
import { readCatalog, resetCounters, type TableShape } from './catalog.ts';
import { EMPTY_HEAD } from './ledger-head-file.ts';
import { MIGRATIONS, migrate } from './migrations/index.ts';
import { openNouns } from './nouns.ts';
import type { OpenDatabase } from './open-database.ts';
import { type LedgerHead, Session } from './session.ts';
import { verifyLedger } from './verify-ledger.ts';

/** What was to be loaded is not what a store holds: it says which, and nothing of it was kept. */
export class LoadRefusedError extends Error {
  override readonly name = 'LoadRefusedError';
}

/** One statement for so many rows; SQLite takes 32,766 values in one. */
const BATCH_ROWS = 50;

export interface LoadedTables {
  readonly database: OpenDatabase;
  readonly schema: readonly string[];
  readonly appliedAt: string;
  readonly rows: AsyncIterable<{ readonly table: string; readonly row: StoredRow }>;
  readonly expected: { readonly head: LedgerHead; readonly tables: Readonly<Record<string, number>> };
  /** Added to the topology's revision, so that whoever remembers a later one than the loaded follows again. */
  readonly revisionsAhead: number;
}

/**
 * Fills an empty database in one transaction, keys and all, and proves before the commit that it holds
 * what was expected: as many rows of each table, and the ledger, recomputed from its first event to the
 * expected head. Anything else rolls back. The schema is the one that the rows were written under; a
 * newer box migrates it when it opens the store.
 */
export async function loadTables(o: LoadedTables): Promise<void> {
  const { database, expected } = o;
  const run = (text: string) => database.connection.executeQuery(CompiledQuery.raw(text));
  const { connection, flavor } = database;
  await migrate({ connection, flavor, appliedAt: o.appliedAt, migrations: migrationsOf(o.schema) });
  const shapes = await readCatalog(database);
  await run(database.flavor.begin);
  try {
    for (const { name } of shapes) await run(`delete from ${name}`);
    const counts = await insertRows(database, new Map(shapes.map((shape) => [shape.name, shape])), o.rows);
    for (const name of new Set([...Object.keys(counts), ...Object.keys(expected.tables)])) {
      const [found, wanted] = [counts[name] ?? 0, expected.tables[name] ?? 0];
      if (found !== wanted) throw new LoadRefusedError(`${name} has ${found} rows, ${wanted} were expected`);
    }
    await requireLedger(database, expected.head);
    if (o.revisionsAhead > 0) await run(`update topology set revision = revision + ${o.revisionsAhead}`);
    await resetCounters(database, shapes);
    await run(database.flavor.commit(expected.head.seq));
  } catch (error) {
    await run('rollback').catch(() => undefined);
    throw error;
  }
}

function migrationsOf(schema: readonly string[]) {
  const migrations = MIGRATIONS.slice(0, schema.length);
  const unknown = schema.filter((name, index) => migrations[index]?.name !== name);
  if (unknown.length === 0) return migrations;
  throw new LoadRefusedError(
    `it was written by a newer version of the box (it knows ${unknown.join(', ')}); use that version, or a newer one`,
  );
}

async function insertRows(
  database: OpenDatabase,
  shapes: ReadonlyMap<string, TableShape>,
  rows: AsyncIterable<{ readonly table: string; readonly row: StoredRow }>,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  let batch: StoredRow[] = [];
  let current: TableShape | null = null;
  const flush = async () => {
    if (current === null || batch.length === 0) return;
    await insertBatch(database, current, batch);
    batch = [];
  };
  for await (const { table, row } of rows) {
    const shape = shapes.get(table);
    if (shape === undefined) throw new LoadRefusedError(`there is no table ${JSON.stringify(table)}`);
    if (shape !== current || batch.length === BATCH_ROWS) await flush();
    current = shape;
    const keys = Object.keys(row);
    if (keys.length !== shape.columns.length || shape.columns.some((column) => !(column in row))) {
      throw new LoadRefusedError(`a row of ${table} has the columns ${keys.slice(0, 50).join(', ')}`);
    }
    batch.push(row);
    counts[table] = (counts[table] ?? 0) + 1;
  }
  await flush();
  return counts;
}

async function insertBatch(
  database: OpenDatabase,
  { name, columns }: TableShape,
  rows: readonly StoredRow[],
): Promise<void> {
  const values = rows.map((row) => sql`(${sql.join(columns.map((column) => sql`${row[column]}`))})`);
  const refs = sql.join(columns.map((column) => sql.ref(column)));
  // Postgres counts by itself unless it is told not to.
  const keys = sql.raw(database.flavor.name === 'postgres' ? 'overriding system value' : '');
  const insertion = sql`insert into ${sql.table(name)} (${refs}) ${keys} values ${sql.join(values)}`;
  try {
    await database.connection.executeQuery(insertion.compile(database.builder));
  } catch (error) {
    // What the disk or the database itself says is not the rows' fault.
    const failure = database.flavor.failureOf(error);
    if (failure !== null && failure.kind !== 'duplicate') throw error;
    throw new LoadRefusedError(`rows of ${name} do not fit: ${(error as Error).message}`, { cause: error });
  }
}

async function requireLedger(database: OpenDatabase, head: LedgerHead): Promise<void> {
  const report = await verifyLedger(readerOf(database), { headFile: null });
  if (!report.ok) throw new LoadRefusedError(`the ledger does not hold: ${report.problem}`);
  if (report.headSeq === head.seq && report.headHash === head.hash) return;
  throw new LoadRefusedError(
    `the ledger ends at event ${report.headSeq} (${report.headHash.slice(0, 12)}), not at event ${head.seq} (${head.hash.slice(0, 12)})`,
  );
}

/** Reads inside of the transaction that is open on the database's one connection. */
function readerOf(database: OpenDatabase): Pick<Store, 'read'> {
  const { builder, connection, flavor } = database;
  const bind = openNouns(builder);
  return {
    read: (work) => work(bind(new Session({ connection, flavor, mode: 'read', ledgerHead: EMPTY_HEAD }))),
  };
}
