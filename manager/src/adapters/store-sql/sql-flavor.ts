/** What a database says when it refuses: a rule of the schema, or its own trouble. */
export type SqlFailure =
  | { readonly kind: 'duplicate'; readonly detail: string }
  | { readonly kind: 'disk_full'; readonly detail: string }
  | { readonly kind: 'unavailable'; readonly detail: string };

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
  /** Follows the select of a claim, so that claims on several connections pass each other by. */
  readonly skipLocked: string;
  /** Null for an error that is a bug, not a state of the database. */
  failureOf(error: unknown): SqlFailure | null;
}
