import { CompiledQuery, type DatabaseConnection } from 'kysely';
import type { SqlFlavor } from './sql-flavor.ts';

interface Place {
  readonly connection: DatabaseConnection;
  readonly flavor: SqlFlavor;
}

export interface TableShape {
  readonly name: string;
  readonly columns: readonly string[];
  /** Whole numbers, which a driver may hand over as text. */
  readonly numbers: ReadonlySet<string>;
  /** The columns of the primary key. */
  readonly key: readonly string[];
}

/** The migrations' own book; it is made by `migrate`, never copied. */
const OWN_TABLES = new Set(['applied_migrations']);

interface ColumnRow {
  readonly table: string;
  readonly column: string;
  readonly type: string;
  readonly key: number;
}

const SQLITE_COLUMNS = `select t.name as "table", c.name as "column", c.type as "type", c.pk as "key"
  from sqlite_schema t join pragma_table_info(t.name) c
  where t.type = 'table' and t.name not like 'sqlite\\_%' escape '\\'
  order by t.name, c.cid`;

const POSTGRES_COLUMNS = `select c.table_name as "table", c.column_name as "column", c.data_type as "type",
    coalesce((select array_position(i.indkey::int2[], a.attnum) + 1 from pg_index i
      join pg_attribute a on a.attrelid = i.indrelid and a.attname = c.column_name
      where i.indrelid = format('%I.%I', c.table_schema, c.table_name)::regclass and i.indisprimary
        and a.attnum = any(i.indkey)), 0)::int as "key"
  from information_schema.columns c
  join information_schema.tables t using (table_schema, table_name)
  where c.table_schema = current_schema() and t.table_type = 'BASE TABLE'
  order by c.table_name, c.ordinal_position`;

/**
 * The tables that are there, asked of the database itself: a table that a later migration adds is in
 * every backup without anybody thinking of it.
 */
export async function readCatalog({ connection, flavor }: Place): Promise<TableShape[]> {
  const sql = flavor.name === 'sqlite' ? SQLITE_COLUMNS : POSTGRES_COLUMNS;
  const { rows } = await connection.executeQuery<ColumnRow>(CompiledQuery.raw(sql));
  const byTable = Map.groupBy(rows, (row) => row.table);
  return [...byTable]
    .filter(([name]) => !OWN_TABLES.has(name))
    .map(([name, columns]) => ({
      name,
      columns: columns.map((one) => one.column),
      numbers: new Set(columns.filter((one) => /int/i.test(one.type)).map((one) => one.column)),
      key: columns
        .filter((one) => one.key > 0)
        .sort((a, b) => a.key - b.key)
        .map((one) => one.column),
    }));
}

/** The names of the migrations that were applied, in order; none where there is no store yet. */
export async function readSchema({ connection, flavor }: Place): Promise<string[]> {
  const known =
    flavor.name === 'sqlite'
      ? `select name from sqlite_schema where type = 'table' and name = 'applied_migrations'`
      : `select table_name as name from information_schema.tables where table_schema = current_schema() and table_name = 'applied_migrations'`;
  const run = (sql: string) => connection.executeQuery<{ name: string }>(CompiledQuery.raw(sql));
  if ((await run(known)).rows.length === 0) return [];
  return (await run('select name from applied_migrations order by name')).rows.map((row) => row.name);
}

/** Whether anything was ever kept here: the one row that the first migration makes does not count. */
export async function holdsAnything(place: Place): Promise<boolean> {
  for (const { name } of await readCatalog(place)) {
    const sql =
      name === 'topology' ? 'select 1 from topology where revision > 0' : `select 1 from ${name} limit 1`;
    const { rows } = await place.connection.executeQuery(CompiledQuery.raw(sql));
    if (rows.length > 0) return true;
  }
  return false;
}

/** Tables that count by themselves go on after what was put into them. */
export async function resetCounters(place: Place, tables: readonly TableShape[]): Promise<void> {
  // SQLite looks at the largest key each time.
  if (place.flavor.name === 'sqlite') return;
  for (const { name, columns } of tables) {
    if (!columns.includes('ordinal')) continue;
    const sql = `select setval(pg_get_serial_sequence('${name}', 'ordinal'), coalesce(max(ordinal), 0) + 1, false) from ${name}`;
    await place.connection.executeQuery(CompiledQuery.raw(sql));
  }
}
