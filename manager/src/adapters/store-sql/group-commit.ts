import { CompiledQuery, type DatabaseConnection } from 'kysely';
import type { CommitNotice, StoreTransaction } from '../../ports/store.ts';
import { CommitInDoubtError, type OpenDatabase } from './open-database.ts';
import { doubtProblem, type LedgerHead, Session, storageProblem } from './session.ts';

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
  readonly #database: Pick<OpenDatabase, 'connection' | 'flavor'>;
  readonly #bind: (session: Session) => StoreTransaction;
  readonly #begin: CompiledQuery;
  readonly #onCommit: (notice: CommitNotice, head: LedgerHead) => void;
  #head: LedgerHead;

  constructor(o: {
    database: Pick<OpenDatabase, 'connection' | 'flavor'>;
    bind: (session: Session) => StoreTransaction;
    head: LedgerHead;
    /** Called once for each commit, before its works are resolved. */
    onCommit: (notice: CommitNotice, head: LedgerHead) => void;
  }) {
    this.#database = o.database;
    this.#bind = o.bind;
    this.#head = o.head;
    this.#onCommit = o.onCommit;
    this.#begin = CompiledQuery.raw(o.database.flavor.begin);
  }

  /** The newest durable event. */
  get head(): LedgerHead {
    return this.#head;
  }

  /** The ledger was found to stand here. Not while a batch runs. */
  moveHead(head: LedgerHead): void {
    this.#head = head;
  }

  /** Never rejects: each work gets its answer, in the end. */
  async run(batch: readonly PendingWork[]): Promise<void> {
    const { connection, flavor } = this.#database;
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
      await connection.executeQuery(this.#begin);
      for (const work of batch) {
        const session = new Session({ connection, flavor, mode: 'write', ledgerHead: head });
        const outcome = await this.#runOne(work, session, { connection, shared: batch.length > 1 });
        if (session.failure !== null) throw session.failure;
        outcomes.push(outcome);
        if (outcome.kind === 'threw') continue;
        head = session.ledgerHead;
        collect(notice, session);
        notice.transactions += 1;
      }
      const worthIt = outcomes.some((outcome) => outcome.kind === 'done');
      await connection.executeQuery(worthIt ? CompiledQuery.raw(flavor.commit(head.seq)) : ROLLBACK);
    } catch (error) {
      if (error instanceof CommitInDoubtError) {
        void answerLater(outcomes, error);
        return;
      }
      // Refused where the database has rolled back by itself, as SQLite does on a full disk.
      await connection.executeQuery(ROLLBACK).catch(() => undefined);
      for (const work of batch) work.reject(storageProblem(flavor, error) ?? error);
      return;
    }
    this.#head = head;
    notice.durationMs = performance.now() - startedMs;
    if (outcomes.some((outcome) => outcome.kind === 'done')) this.#onCommit(notice, head);
    answer(outcomes);
  }

  async #runOne(
    work: PendingWork,
    session: Session,
    { connection, shared }: { readonly connection: DatabaseConnection; readonly shared: boolean },
  ): Promise<Outcome> {
    if (shared) await connection.executeQuery(SAVEPOINT);
    let outcome: Outcome;
    try {
      const value = await work.run(this.#bind(session), session);
      outcome = { work, kind: 'done', value };
    } catch (error) {
      outcome = { work, kind: 'threw', error };
    }
    session.end();
    if (session.refusal !== null && outcome.kind === 'done') {
      outcome = { work, kind: 'threw', error: session.refusal };
    }
    if (!shared || session.failure !== null) return outcome;
    if (outcome.kind === 'threw') await connection.executeQuery(ROLLBACK_TO_SAVEPOINT);
    await connection.executeQuery(RELEASE);
    return outcome;
  }
}

function answer(outcomes: readonly Outcome[]): void {
  for (const outcome of outcomes) {
    if (outcome.kind === 'done') outcome.work.resolve(outcome.value);
    else outcome.work.reject(outcome.error);
  }
}

/**
 * The truth, once it is known: the store has caught up with the ledger by then, and has told of its
 * events, so that nobody hears of a commit before the others do.
 */
async function answerLater(outcomes: readonly Outcome[], doubt: CommitInDoubtError): Promise<void> {
  const outcome = await doubt.outcome;
  if (outcome === 'committed') return answer(outcomes);
  for (const { work } of outcomes) work.reject(doubtProblem(doubt));
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
