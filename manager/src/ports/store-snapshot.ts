/** Columns by name, as every store knows them. */
export type StoredRow = Readonly<Record<string, string | number | null>>;

/** The store at one moment, to be read at leisure while it goes on: what a backup is made of. */
export interface StoreSnapshot {
  readonly kind: 'sqlite' | 'postgres';
  /** The migrations that made its tables, in order. */
  readonly schema: readonly string[];
  /** The ledger's newest event; `seq` 0 and the genesis hash where there is none. */
  readonly head: { readonly seq: number; readonly hash: string };
  readonly tables: readonly string[];
  /** All rows of a table, in the order of their keys. */
  rows(table: string): AsyncIterable<StoredRow>;
  /** Must be called; a snapshot holds space or a connection. */
  close(): Promise<void>;
}
