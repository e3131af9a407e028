/** What a database says when it refuses: a rule of the schema, or its own trouble. */
export type SqlFailure =
  | { readonly kind: 'duplicate'; readonly detail: string }
  | { readonly kind: 'disk_full'; readonly detail: string }
  | { readonly kind: 'unavailable'; readonly detail: string }
  /** It cannot be reached just now, and is looked for. */
  | { readonly kind: 'lost'; readonly detail: string };

/** All in which one SQL database differs from another, as far as this store uses them. */
export interface SqlFlavor {
  readonly name: 'sqlite' | 'postgres';
  /** Starts a transaction that is allowed to write from its first statement on. */
  readonly begin: string;
  readonly columnTypes: {
    /** A primary key that counts by itself in the order of insertion. */
    readonly ordinal: string;
    /** Holds milliseconds since the epoch. */
    readonly integer: string;
  };
  /** Follows the closing bracket of `create table`. */
  readonly tableOptions: string;
  /** Follows an insert, where a taken key must answer "no row" because an error would end the transaction. */
  readonly skipDuplicates: string;
  /** Whether a refused statement leaves the transaction unusable until its savepoint. */
  readonly refusalsEndTransaction: boolean;
  /** How the n-th value is written in a text of one's own; counted from 1. */
  parameter(n: number): string;
  /** Ends a transaction after which the ledger stands at `headSeq`. */
  commit(headSeq: number): string;
  /** Null for an error that is a bug, not a state of the database. */
  failureOf(error: unknown): SqlFailure | null;
}
