import { type Kysely, sql } from 'kysely';
import { DuplicateKeyError, VersionConflictError } from '../../ports/store.ts';
import type { Schema } from './schema.ts';
import type { Session } from './session.ts';
import { type Statement, statement } from './statement.ts';

export type SqlValue = string | number | null;
type Columns = Readonly<Record<string, SqlValue>>;

export interface DocumentRow {
  readonly doc: string;
}

interface DocumentTableOptions<R, K> {
  readonly builder: Kysely<Schema>;
  readonly table: keyof Schema;
  readonly keyOf: (key: K) => Columns;
  /** The columns beside the document that a save may change, without those of the key. */
  readonly columnsOf: (record: R) => Columns;
  /** Columns that stay as they were inserted: a save need not touch their indexes. */
  readonly fixedColumnsOf?: (record: R) => Columns;
  readonly keyOfRecord: (record: R) => K;
}

/** `get`, `insert` and `save` of one noun, compiled once; lists are each noun's own. */
export interface DocumentTable<R, K> {
  get(session: Session, key: K): Promise<R | null>;
  insert(session: Session, record: R): Promise<R>;
  save(session: Session, record: R): Promise<R>;
}

export function readDocument<R>(row: DocumentRow): R {
  return JSON.parse(row.doc) as R;
}

export async function readDocuments<R>(rows: Promise<readonly DocumentRow[]>): Promise<R[]> {
  return (await rows).map((row) => readDocument<R>(row));
}

export function documentTable<R extends { readonly version: number }, K = string>(
  o: DocumentTableOptions<R, K>,
): DocumentTable<R, K> {
  const { builder, table } = o;
  let insertion: Statement<Columns, unknown> | null = null;
  let update: Statement<Columns, unknown> | null = null;
  let selection: Statement<Columns, DocumentRow> | null = null;

  // The first call tells the columns; from then on the text is fixed.
  const insertionOf = (columns: Columns, skipDuplicates: string) =>
    (insertion ??= statement((param) => {
      const names = Object.keys(columns);
      const values = names.map((name) => sql`${param(name)}`);
      return sql`insert into ${sql.table(table)} (${sql.join(names.map((name) => sql.ref(name)))}) values (${sql.join(values)}) ${sql.raw(skipDuplicates)}`.compile(
        builder,
      );
    }));
  const updateOf = (key: Columns, columns: Columns) =>
    (update ??= statement((param) => {
      const sets = Object.keys(columns).map((name) => sql`${sql.ref(name)} = ${param(name)}`);
      return sql`update ${sql.table(table)} set ${sql.join(sets)} where ${matching(key, param)} and version = ${param('expected')}`.compile(
        builder,
      );
    }));
  const selectionOf = (key: Columns) =>
    (selection ??= statement((param) =>
      sql<DocumentRow>`select doc from ${sql.table(table)} where ${matching(key, param)}`.compile(builder),
    ));

  return {
    async get(session, key) {
      const columns = o.keyOf(key);
      const row = await session.row(selectionOf(columns)(columns));
      return row && readDocument<R>(row);
    },
    async insert(session, record) {
      if (record.version !== 1)
        throw new Error(`a new record of ${table} has version 1, not ${record.version}`);
      const columns: Columns = {
        ...o.keyOf(o.keyOfRecord(record)),
        ...o.fixedColumnsOf?.(record),
        ...o.columnsOf(record),
        version: 1,
        doc: JSON.stringify(record),
      };
      const touched = await session.write(insertionOf(columns, session.flavor.skipDuplicates)(columns));
      if (touched === 0) throw new DuplicateKeyError(`${table} has one with a key of this record`);
      return record;
    },
    async save(session, record) {
      const saved = { ...record, version: record.version + 1 };
      const key = o.keyOf(o.keyOfRecord(record));
      const columns: Columns = { ...o.columnsOf(saved), version: saved.version, doc: JSON.stringify(saved) };
      const touched = await session.write(
        updateOf(key, columns)({ ...columns, ...key, expected: record.version }),
      );
      if (touched === 0) {
        const name = Object.values(key).join('/');
        throw new VersionConflictError(`${table} ${name} is no longer at version ${record.version}`);
      }
      return saved;
    },
  };
}

function matching(key: Columns, param: (name: string) => SqlValue) {
  return sql.join(
    Object.keys(key).map((name) => sql`${sql.ref(name)} = ${param(name)}`),
    sql` and `,
  );
}
