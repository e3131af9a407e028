import { CompiledQuery } from 'kysely';
import type { StoredRow, StoreSnapshot } from '../../ports/store-snapshot.ts';
import { readCatalog, readSchema, type TableShape } from './catalog.ts';
import { EMPTY_HEAD } from './ledger-head-file.ts';
import type { SnapshotDatabase } from './open-database.ts';
import type { LedgerHead } from './session.ts';

/** Documents have some kilobytes, the largest some megabytes: a page of them fits into memory. */
const PAGE_ROWS = 100;

/**
 * The tables of a database that nobody writes to meanwhile: one that this process alone holds, a copy,
 * or a transaction that sees one moment. Closing it closes the database.
 */
export async function openTableSource(database: SnapshotDatabase): Promise<StoreSnapshot> {
  const shapes = new Map((await readCatalog(database)).map((shape) => [shape.name, shape]));
  return {
    kind: database.flavor.name,
    schema: await readSchema(database),
    head: await readEnd(database, shapes),
    tables: [...shapes.keys()],
    rows(table) {
      const shape = shapes.get(table);
      if (shape === undefined) throw new Error(`there is no table ${table}`);
      return readRows(database, shape);
    },
    close: () => database.close(),
  };
}

async function* readRows(database: SnapshotDatabase, shape: TableShape): AsyncGenerator<StoredRow> {
  if (shape.key.length === 0) throw new Error(`the table ${shape.name} has no primary key to go along`);
  let last: StoredRow | null = null;
  for (;;) {
    const { rows }: { rows: StoredRow[] } = await database.connection.executeQuery(
      pageAfter(database, shape, last),
    );
    for (const row of rows) yield withNumbers(row, shape);
    last = rows.at(-1) ?? null;
    if (rows.length < PAGE_ROWS || last === null) return;
  }
}

function pageAfter(
  { flavor }: SnapshotDatabase,
  { name, columns, key }: TableShape,
  last: StoredRow | null,
): CompiledQuery<StoredRow> {
  const listed = (names: readonly string[]) => names.map((one) => `"${one}"`).join(', ');
  const keys = listed(key);
  const places = key.map((_, index) => flavor.parameter(index + 1));
  const after = last === null ? '' : `where (${keys}) > (${places.join(', ')})`;
  return CompiledQuery.raw(
    `select ${listed(columns)} from ${name} ${after} order by ${keys} limit ${PAGE_ROWS}`,
    last === null ? [] : key.map((column) => last[column]),
  ) as CompiledQuery<StoredRow>;
}

async function readEnd(
  database: SnapshotDatabase,
  shapes: ReadonlyMap<string, TableShape>,
): Promise<LedgerHead> {
  const events = shapes.get('events');
  if (events === undefined) return EMPTY_HEAD;
  const newest = CompiledQuery.raw('select seq, hash from events order by seq desc limit 1');
  const { rows } = await database.connection.executeQuery<StoredRow>(newest);
  const row = rows[0] && withNumbers(rows[0], events);
  return row === undefined ? EMPTY_HEAD : { seq: Number(row.seq), hash: String(row.hash) };
}

function withNumbers(row: StoredRow, { numbers }: TableShape): StoredRow {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => [
      column,
      typeof value === 'string' && numbers.has(column) ? Number(value) : value,
    ]),
  );
}
