import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { SqliteDialect, type SqliteStatement } from 'kysely';
import type { SqlFlavor } from './sql-flavor.ts';

/**
 * Kysely on the runtime's own SQLite. Statements are prepared once for each SQL text and kept: this
 * store's texts are a fixed set (`statement.ts`), values come only as parameters.
 */
export function nodeSqliteDialect(database: DatabaseSync): SqliteDialect {
  const prepared = new Map<string, SqliteStatement>();
  return new SqliteDialect({
    database: {
      close: () => {
        prepared.clear();
        database.close();
      },
      prepare: (sql) => {
        let statement = prepared.get(sql);
        if (statement === undefined) {
          statement = prepare(database, sql);
          prepared.set(sql, statement);
        }
        return statement;
      },
    },
  });
}

function prepare(database: DatabaseSync, sql: string): SqliteStatement {
  const statement = database.prepare(sql);
  return {
    reader: statement.columns().length > 0,
    all: (values) => statement.all(...(values as SQLInputValue[])),
    run: (values) => statement.run(...(values as SQLInputValue[])),
    iterate: (values) => statement.iterate(...(values as SQLInputValue[])),
  };
}

/** Primary result codes, the low byte of the extended ones: https://sqlite.org/rescode.html */
const BUSY = 5;
const FULL = 13;
const CONSTRAINT_UNIQUE = 2067;
const CONSTRAINT_PRIMARYKEY = 1555;
/** BUSY, LOCKED, NOMEM, READONLY, IOERR, CORRUPT, CANTOPEN, PROTOCOL, NOTADB: the file or the machine, not the query. */
const UNAVAILABLE = new Set([BUSY, 6, 7, 8, 10, 11, 14, 15, 26]);

function resultCodeOf(error: unknown): number | null {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return null;
  return error.errcode;
}

export function isBusy(error: unknown): boolean {
  const code = resultCodeOf(error);
  return code !== null && (code & 0xff) === BUSY;
}

export const SQLITE_FLAVOR: SqlFlavor = {
  name: 'sqlite',
  begin: 'begin immediate',
  columnTypes: { ordinal: 'integer primary key', integer: 'integer' },
  tableOptions: 'strict',
  skipDuplicates: '',
  refusalsEndTransaction: false,
  parameter: () => '?',
  commit: () => 'commit',
  failureOf(error) {
    const code = resultCodeOf(error);
    if (code === null) return null;
    const detail = (error as Error).message;
    if (code === CONSTRAINT_UNIQUE || code === CONSTRAINT_PRIMARYKEY) return { kind: 'duplicate', detail };
    if ((code & 0xff) === FULL) return { kind: 'disk_full', detail };
    return UNAVAILABLE.has(code & 0xff) ? { kind: 'unavailable', detail } : null;
  },
};
