import { DatabaseError } from 'pg';
import type { SqlFailure, SqlFlavor } from '../sql-flavor.ts';

/** Nothing can be asked of this connection any more. */
export class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError';
}

/** A statement that nobody waited for was refused; what came after it in the transaction never happened. */
export class EarlierStatementError extends Error {
  override readonly name = 'EarlierStatementError';
}

/** SQLSTATE: https://www.postgresql.org/docs/17/errcodes-appendix.html */
const UNIQUE_VIOLATION = '23505';
const DISK_FULL = '53100';
/**
 * The server or the machine, not the query: connection (08), transaction state (25), rollback by the
 * server (40), resources (53), stopped or cancelled (57), system (58), damaged data (XX001, XX002).
 */
const UNAVAILABLE = /^(08|25|40|53|57|58|XX00[12])/;

/** The constraint that keeps the ledger's numbers apart. */
export const LEDGER_KEY = 'events_pkey';

/** The channel that tells other programs of commits; the payload is the newest event's number. */
export const COMMITS_CHANNEL = 'dbox_commits';

export const POSTGRES_FLAVOR: SqlFlavor = {
  name: 'postgres',
  begin: 'begin',
  columnTypes: { ordinal: 'bigint generated always as identity primary key', integer: 'bigint' },
  tableOptions: '',
  skipDuplicates: 'on conflict do nothing',
  refusalsEndTransaction: true,
  parameter: (n) => `$${n}`,
  commit: (headSeq) => `notify ${COMMITS_CHANNEL}, '${headSeq}'; commit`,
  failureOf(error): SqlFailure | null {
    if (error instanceof ConnectionLostError) return { kind: 'lost', detail: error.message };
    if (error instanceof EarlierStatementError) return { kind: 'unavailable', detail: error.message };
    if (!(error instanceof DatabaseError)) return null;
    const detail = error.message;
    if (error.code === UNIQUE_VIOLATION) {
      // Numbers are given by this process alone: somebody else wrote to the ledger.
      if (error.constraint === LEDGER_KEY) return { kind: 'unavailable', detail };
      return { kind: 'duplicate', detail };
    }
    if (error.code === DISK_FULL) return { kind: 'disk_full', detail };
    return UNAVAILABLE.test(error.code ?? '') ? { kind: 'unavailable', detail } : null;
  },
};
