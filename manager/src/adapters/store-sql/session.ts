import { type Event, type JobKind, ProblemError } from '@dbox/contracts';
import type { CompiledQuery } from 'kysely';
import { DuplicateKeyError } from '../../ports/store.ts';
import type { StoreConnection } from './open-database.ts';
import type { SqlFlavor } from './sql-flavor.ts';

/** The newest event; `seq` 0 and the genesis hash while there is none. */
export interface LedgerHead {
  readonly seq: number;
  readonly hash: string;
}

/** What waits to be told once the work is durable. */
export interface Changes {
  readonly events: Event[];
  readonly queuedKinds: JobKind[];
  topologyRevision: number | null;
}

/**
 * The database as one piece of work sees it while its turn lasts. It is of no use afterwards: a call
 * that somebody forgot to await must not end up in another's transaction.
 */
export class Session {
  readonly changes: Changes = { events: [], queuedKinds: [], topologyRevision: null };
  /** Where the ledger stands for this work; becomes the store's own on commit. */
  ledgerHead: LedgerHead;
  /** The database itself failed, whatever the work made of the error. */
  failure: ProblemError | null = null;
  /** A refusal after which the transaction is of no use, also where the work went on all the same. */
  refusal: unknown = null;
  readonly #connection: StoreConnection;
  readonly #flavor: SqlFlavor;
  readonly #mode: 'read' | 'write';
  #open = true;

  constructor(o: {
    connection: StoreConnection;
    flavor: SqlFlavor;
    mode: 'read' | 'write';
    ledgerHead: LedgerHead;
  }) {
    this.#connection = o.connection;
    this.#flavor = o.flavor;
    this.#mode = o.mode;
    this.ledgerHead = o.ledgerHead;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  end(): void {
    this.#open = false;
  }

  async rows<R>(query: CompiledQuery<R>): Promise<readonly R[]> {
    return (await this.#execute(query)).rows;
  }

  async row<R>(query: CompiledQuery<R>): Promise<R | null> {
    return (await this.#execute(query)).rows[0] ?? null;
  }

  /** The rows a writing statement returns. */
  async writeRows<R>(query: CompiledQuery<R>): Promise<readonly R[]> {
    this.#assertWritable();
    return (await this.#execute(query)).rows;
  }

  /** How many rows a writing statement touched. */
  async write(query: CompiledQuery<unknown>): Promise<number> {
    this.#assertWritable();
    return Number((await this.#execute(query)).numAffectedRows ?? 0n);
  }

  /** A write that either happens or takes the whole transaction with it. */
  async writeForSure(query: CompiledQuery<unknown>): Promise<void> {
    if (this.#connection.executeLater === undefined || !this.#open) {
      await this.write(query);
      return;
    }
    this.#assertWritable();
    this.#connection.executeLater(query);
  }

  get flavor(): SqlFlavor {
    return this.#flavor;
  }

  #assertWritable(): void {
    if (this.#mode === 'read') throw new Error('a read cannot write: use transact');
  }

  async #execute<R>(query: CompiledQuery<R>) {
    if (!this.#open) throw new Error('the store was called after the work it belongs to had ended: await it');
    try {
      return await this.#connection.executeQuery<R>(query);
    } catch (error) {
      throw this.#translate(error);
    }
  }

  #translate(error: unknown): unknown {
    const failure = this.#flavor.failureOf(error);
    const problem = storageProblem(this.#flavor, error);
    if (problem !== null) this.failure = problem;
    const told =
      problem ?? (failure === null ? error : new DuplicateKeyError(failure.detail, { cause: error }));
    if (this.#flavor.refusalsEndTransaction) this.refusal ??= told;
    return told;
  }
}

/** The database's own trouble in the words of the wire; null where the error is anything else. */
export function storageProblem(flavor: SqlFlavor, error: unknown): ProblemError | null {
  const failure = flavor.failureOf(error);
  if (failure === null || failure.kind === 'duplicate') return null;
  if (failure.kind === 'disk_full') {
    return new ProblemError(
      'disk_full',
      'The disk is full: nothing was stored. Free some space and try again.',
      {
        retryAfterSeconds: STORAGE_RETRY_SECONDS,
        cause: error,
      },
    );
  }
  if (failure.kind === 'lost') {
    return new ProblemError(
      'store_unavailable',
      `The task store is out of reach (${failure.detail}): nothing was stored. It is looked for all the time; try again.`,
      { retryAfterSeconds: RECONNECT_RETRY_SECONDS, cause: error },
    );
  }
  return new ProblemError(
    'store_unavailable',
    `The task store cannot be used (${failure.detail}): nothing was stored. Look after its disk and try again.`,
    { retryAfterSeconds: STORAGE_RETRY_SECONDS, cause: error },
  );
}

/** For a commit whose answer was lost, and did not turn up. */
export function doubtProblem(error: unknown): ProblemError {
  return new ProblemError(
    'store_unavailable',
    'The task store went out of reach while this was being stored; whether it was is not known yet. Try again: what was stored is not done twice.',
    { retryAfterSeconds: RECONNECT_RETRY_SECONDS, cause: error },
  );
}

/** A store that restarts is back within a second or two. */
const RECONNECT_RETRY_SECONDS = 2;
/** Long enough that retrying clients leave a full disk alone, short enough that a person sees it recover. */
const STORAGE_RETRY_SECONDS = 5;
