import type { CompiledQuery, DatabaseConnection, Kysely } from 'kysely';
import type { Schema } from './schema.ts';
import type { SqlFlavor } from './sql-flavor.ts';

/** A connection across a network saves the round trip of what needs no answer. */
export interface StoreConnection extends DatabaseConnection {
  /**
   * Sends a write whose answer tells nothing. A refusal is told to whatever is asked next in the
   * transaction, at the latest to its commit. Absent where an answer costs nothing.
   */
  executeLater?(query: CompiledQuery<unknown>): void;
}

/** A database that is open, held by this process and migrated. */
export interface OpenDatabase {
  /** Builds queries; they run on `connection`. */
  readonly builder: Kysely<Schema>;
  /**
   * For one piece of work, from its start to its end: one that is lost meanwhile refuses whatever comes
   * after, and the next piece of work finds another here.
   */
  readonly connection: StoreConnection;
  readonly flavor: SqlFlavor;
  /** What is committed now, for readers alone; writers go on meanwhile. */
  snapshot(): Promise<SnapshotDatabase>;
  close(): Promise<void>;
}

/** A database that nobody writes to while it is read: a copy, or a transaction that sees one moment. */
export interface SnapshotDatabase {
  readonly connection: DatabaseConnection;
  readonly flavor: SqlFlavor;
  close(): Promise<void>;
}

/** The connection broke after the commit was sent: whether it was made is learnt from the next connection. */
export class CommitInDoubtError extends Error {
  override readonly name = 'CommitInDoubtError';
  /** Never rejects. `unknown` after a while, so that nobody waits for ever. */
  readonly outcome: Promise<CommitOutcome>;
  constructor(outcome: Promise<CommitOutcome>, cause: unknown) {
    super('the connection broke during a commit', { cause });
    this.outcome = outcome;
  }
}

export type CommitOutcome = 'committed' | 'not_committed' | 'unknown';
