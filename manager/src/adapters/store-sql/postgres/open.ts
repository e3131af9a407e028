import { DatabaseError } from 'pg';
import { type Clock, isoOf } from '../../../ports/clock.ts';
import type { Store } from '../../../ports/store.ts';
import { LedgerHeadFile } from '../ledger-head-file.ts';
import { type BeforeMigrate, migrate } from '../migrations/index.ts';
import type { OpenDatabase } from '../open-database.ts';
import { readEventHash, readLedgerEnd, SqlStore } from '../sql-store.ts';
import { StoreHeldError } from '../store-held-error.ts';
import { labelOf, type PostgresAddress } from './address.ts';
import { UnfitServerError } from './hold.ts';
import { PostgresLink, reasonOf } from './link.ts';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;
/** The server needs a moment to see that the manager before, killed just now, is gone. */
const HOLDER_LIMIT_MS = 3_000;

/** The server was not there, or not ready, for as long as one was willing to wait. */
export class StoreUnreachableError extends Error {
  override readonly name = 'StoreUnreachableError';
}

export interface PostgresStoreOptions {
  readonly address: PostgresAddress;
  readonly clock: Clock;
  /** Where the ledger's newest event is written down outside of the database; null for nowhere. */
  readonly headFile: string | null;
  readonly beforeMigrate?: BeforeMigrate | undefined;
  /** How long to wait for a server that is not there yet. */
  readonly waitMs?: number | undefined;
  readonly log?: (level: 'info' | 'warn' | 'error', message: string, data?: object) => void;
}

/**
 * Opens the store and holds it until it is closed; lost connections are made again. Throws
 * `StoreHeldError`, `StoreTooNewError`, `StoreUnreachableError` or `UnfitServerError`.
 */
export async function openPostgresStore(o: PostgresStoreOptions): Promise<Store> {
  const link = new PostgresLink({ ...o, log: o.log ?? (() => {}) });
  try {
    await openWhenReady(link, o);
    const { connection, flavor } = link;
    await migrate({
      connection,
      flavor,
      appliedAt: isoOf(o.clock.nowMs()),
      beforeMigrate: o.beforeMigrate,
    });
    const head = await readLedgerEnd(link);
    const headFile =
      o.headFile === null
        ? null
        : await LedgerHeadFile.open({
            path: o.headFile,
            clock: o.clock,
            head,
            hashOf: (seq) => readEventHash(link, seq),
          });
    const store = new SqlStore({ database: link, head, headFile });
    link.serve(store);
    return store;
  } catch (error) {
    await link.close();
    throw error;
  }
}

/** Opened and held, not migrated; a lost connection is not made again. */
export async function openPostgresDatabase(
  o: Omit<PostgresStoreOptions, 'headFile' | 'beforeMigrate'>,
): Promise<OpenDatabase> {
  const link = new PostgresLink({ ...o, log: o.log ?? (() => {}) });
  try {
    await openWhenReady(link, o);
    return link;
  } catch (error) {
    await link.close();
    throw error;
  }
}

async function openWhenReady(
  link: PostgresLink,
  o: Pick<PostgresStoreOptions, 'address' | 'waitMs' | 'log'>,
): Promise<void> {
  // The clock's timers keep no process alive, and at the start nothing else does.
  const alive = setInterval(() => {}, 1_000);
  const startedAtMs = performance.now();
  let said = '';
  try {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        return await link.open();
      } catch (error) {
        const waitedMs = performance.now() - startedAtMs;
        const limitMs = error instanceof StoreHeldError ? HOLDER_LIMIT_MS : (o.waitMs ?? 0);
        if (!mayPass(error) || waitedMs + pauseMs > limitMs) throw unreachable(o.address, error, waitedMs);
        const reason = reasonOf(error);
        if (reason !== said) o.log?.('warn', `waiting for the task store ${link.label}: ${reason}`);
        said = reason;
      }
      await new Promise<void>((resolve) => {
        setTimeout(resolve, pauseMs);
      });
    }
  } finally {
    clearInterval(alive);
  }
}

/** What a server says while it starts, or a network while it is set up. Everything else stays as it is. */
function mayPass(error: unknown): boolean {
  if (error instanceof StoreHeldError) return true;
  if (error instanceof UnfitServerError) return false;
  // Starting up or shutting down (57P), out of connections (53).
  if (error instanceof DatabaseError) return /^(57P|53)/.test(error.code ?? '');
  const code = error instanceof AggregateError ? error.errors[0]?.code : (error as { code?: unknown })?.code;
  return (
    code === undefined ||
    !/^(ERR_TLS|ENOENT|EACCES|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/.test(String(code))
  );
}

function unreachable(address: PostgresAddress, error: unknown, waitedMs: number): unknown {
  if (error instanceof StoreHeldError) return error;
  const waited = waitedMs < 1_000 ? '' : ` (waited ${Math.round(waitedMs / 1_000)} s)`;
  const reason = reasonOf(error);
  return new StoreUnreachableError(
    `cannot use the task store ${labelOf(address)}: ${reason}${waited}. ${remedyOf(address, error, reason)}`,
    { cause: error },
  );
}

function remedyOf(address: PostgresAddress, error: unknown, reason: string): string {
  const code = error instanceof DatabaseError ? error.code : null;
  if (error instanceof UnfitServerError) return 'Give this box another server with DBOX_STORE.';
  if (code === '3D000') return `Make it: createdb -O ${address.user} ${address.database}`;
  if (/must be a (non-empty )?string|no password/.test(reason)) {
    return 'The server asks for a password: put it into a file and name that in DBOX_STORE_PASSWORD_FILE.';
  }
  if (code?.startsWith('28'))
    return 'See that user and password are right (DBOX_STORE, DBOX_STORE_PASSWORD_FILE).';
  if (/SSL|certificate|self.signed/i.test(reason)) {
    return 'See to the TLS of the server, or to `sslmode` and `sslrootcert` in DBOX_STORE.';
  }
  return 'Start the server, or see that DBOX_STORE names it.';
}
