import type { ProblemError } from '@dbox/contracts';
import { CompiledQuery, type DatabaseConnection } from 'kysely';
import type { CommitNotice, StoreTransaction } from '../../ports/store.ts';
import { type LedgerHead, Session, storageProblem } from './session.ts';
import type { SqlFlavor } from './sql-flavor.ts';

/** One call of `transact`, waiting for its commit. */
export interface PendingWork {
  run(tx: StoreTransaction, session: Session): Promise<unknown>;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

type Outcome =
  | { readonly work: PendingWork; readonly kind: 'done'; readonly value: unknown }
  | { readonly work: PendingWork; readonly kind: 'threw'; readonly error: unknown };

const ROLLBACK = CompiledQuery.raw('rollback');
const SAVEPOINT = CompiledQuery.raw('savepoint work');
const RELEASE = CompiledQuery.raw('release work');
const ROLLBACK_TO_SAVEPOINT = CompiledQuery.raw('rollback to work');

/**
 * Runs a batch of transactions behind one durable commit. Each has a savepoint of its own (a lone one
 * needs none), so one that throws takes back its own writes only. Trouble of the database itself, in
 * the middle or at the commit, rejects the whole batch: nobody is told "done" for what is not on disk.
 */
export class GroupCommit {
  readonly #connection: DatabaseConnection;
  readonly #flavor: SqlFlavor;
  readonly #bind: (session: Session) => StoreTransaction;
  readonly #begin: CompiledQuery;
  readonly #onCommit: (notice: CommitNotice, head: LedgerHead) => void;
  #head: LedgerHead;

  constructor(o: {
    connection: DatabaseConnection;
    flavor: SqlFlavor;
    bind: (session: Session) => StoreTransaction;
    head: LedgerHead;
    /** Called once for each commit, before its works are resolved. */
    onCommit: (notice: CommitNotice, head: LedgerHead) => void;
  }) {
    this.#connection = o.connection;
    this.#flavor = o.flavor;
    this.#bind = o.bind;
    this.#head = o.head;
    this.#onCommit = o.onCommit;
    this.#begin = CompiledQuery.raw(o.flavor.begin);
  }

  /** The newest durable event. */
  get head(): LedgerHead {
    return this.#head;
  }

  /** Never rejects: each work gets its answer. */
  async run(batch: readonly PendingWork[]): Promise<void> {
    const outcomes: Outcome[] = [];
    const startedMs = performance.now();
    const notice: MutableNotice = {
      events: [],
      queuedKinds: [],
      topologyRevision: null,
      transactions: 0,
      durationMs: 0,
    };
    let head = this.#head;
    try {
      await this.#execute(this.#begin);
      for (const work of batch) {
        const session = this.#session(head);
        const outcome = await this.#runOne(work, session, batch.length > 1);
        if (session.failure !== null) throw session.failure;
        outcomes.push(outcome);
        if (outcome.kind === 'threw') continue;
        head = session.ledgerHead;
        collect(notice, session);
        notice.transactions += 1;
      }
      await this.#execute(
        outcomes.some((outcome) => outcome.kind === 'done')
          ? CompiledQuery.raw(this.#flavor.commit(head.seq))
          : ROLLBACK,
      );
    } catch (error) {
      await this.#giveUp();
      for (const work of batch) work.reject(this.#problemOf(error));
      return;
    }
    this.#head = head;
    notice.durationMs = performance.now() - startedMs;
    if (outcomes.some((outcome) => outcome.kind === 'done')) this.#onCommit(notice, head);
    for (const outcome of outcomes) {
      if (outcome.kind === 'done') outcome.work.resolve(outcome.value);
      else outcome.work.reject(outcome.error);
    }
  }

  async #runOne(work: PendingWork, session: Session, shared: boolean): Promise<Outcome> {
    if (shared) await this.#execute(SAVEPOINT);
    try {
      const value = await work.run(this.#bind(session), session);
      session.end();
      if (shared && session.failure === null) await this.#execute(RELEASE);
      return { work, kind: 'done', value };
    } catch (error) {
      session.end();
      if (shared && session.failure === null) {
        await this.#execute(ROLLBACK_TO_SAVEPOINT);
        await this.#execute(RELEASE);
      }
      return { work, kind: 'threw', error };
    }
  }

  #session(ledgerHead: LedgerHead): Session {
    return new Session({ connection: this.#connection, flavor: this.#flavor, mode: 'write', ledgerHead });
  }

  #execute(query: CompiledQuery): Promise<unknown> {
    return this.#connection.executeQuery(query);
  }

  async #giveUp(): Promise<void> {
    try {
      await this.#execute(ROLLBACK);
    } catch {
      // The database has rolled back by itself, as SQLite does on a full disk.
    }
  }

  #problemOf(error: unknown): ProblemError | unknown {
    return storageProblem(this.#flavor, error) ?? error;
  }
}

interface MutableNotice {
  readonly events: CommitNotice['events'][number][];
  readonly queuedKinds: CommitNotice['queuedKinds'][number][];
  topologyRevision: number | null;
  transactions: number;
  durationMs: number;
}

function collect(notice: MutableNotice, session: Session): void {
  notice.events.push(...session.changes.events);
  notice.queuedKinds.push(...session.changes.queuedKinds);
  notice.topologyRevision = session.changes.topologyRevision ?? notice.topologyRevision;
}
