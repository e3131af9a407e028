import { AsyncLocalStorage } from 'node:async_hooks';
import { type Event, type JobKind, ProblemError } from '@dbox/contracts';
import { sql } from 'kysely';
import type { CommitNotice, Store, StoreReader, StoreTransaction } from '../../ports/store.ts';
import type { StoreSnapshot } from '../../ports/store-snapshot.ts';
import { GroupCommit, type PendingWork } from './group-commit.ts';
import { EMPTY_HEAD, type LedgerHeadFile } from './ledger-head-file.ts';
import { openNouns } from './nouns.ts';
import type { OpenDatabase } from './open-database.ts';
import { type LedgerHead, Session, storageProblem } from './session.ts';
import { openTableSource } from './table-source.ts';
import { Turns } from './turns.ts';

const CATCH_UP_PAGE = 500;
/** More agents than this do not wait for one kind of job. */
const MOST_WOKEN = 64;

type Listener = (notice: CommitNotice) => void;

/** The store on one connection of an SQL database: transactions in group commits, reads between them. */
export class SqlStore implements Store {
  readonly #database: OpenDatabase;
  readonly #headFile: LedgerHeadFile | null;
  readonly #bind: (session: Session) => StoreTransaction;
  readonly #commits: GroupCommit;
  readonly #turns: Turns<PendingWork>;
  readonly #listeners = new Set<Listener>();
  /** The work this call comes from, to refuse one that would wait for itself. */
  readonly #caller = new AsyncLocalStorage<Session>();
  /** Copies that are being made; the database is not closed under them. */
  readonly #copying = new Set<Promise<unknown>>();
  #closing: Promise<void> | null = null;

  constructor(o: { database: OpenDatabase; head: LedgerHead; headFile: LedgerHeadFile | null }) {
    this.#database = o.database;
    this.#headFile = o.headFile;
    this.#bind = openNouns(o.database.builder);
    this.#commits = new GroupCommit({
      database: o.database,
      bind: this.#bind,
      head: o.head,
      onCommit: (notice, head) => this.#announce(notice, head),
    });
    this.#turns = new Turns((batch) => this.#commits.run(batch));
  }

  transact<T>(work: (tx: StoreTransaction) => Promise<T>): Promise<T> {
    const refusal = this.#refusal('transact');
    if (refusal !== null) return Promise.reject(refusal);
    return new Promise<T>((resolve, reject) => {
      this.#turns.write({
        run: (tx, session) => this.#caller.run(session, () => work(tx)),
        resolve: (value) => resolve(value as T),
        reject,
      });
    });
  }

  read<T>(work: (reader: StoreReader) => Promise<T>): Promise<T> {
    const refusal = this.#refusal('read');
    return refusal === null ? this.#readInTurn(work) : Promise.reject(refusal);
  }

  #readInTurn<T>(work: (reader: StoreReader) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#turns.read(async () => {
        const { connection, flavor } = this.#database;
        const session = new Session({ connection, flavor, mode: 'read', ledgerHead: EMPTY_HEAD });
        try {
          resolve(await this.#caller.run(session, () => work(this.#bind(session))));
        } catch (error) {
          reject(error);
        } finally {
          session.end();
        }
      });
    });
  }

  onCommit(listener: Listener): () => void {
    // Wrapped, so that the same function can be subscribed twice.
    const subscription: Listener = (notice) => listener(notice);
    this.#listeners.add(subscription);
    return () => this.#listeners.delete(subscription);
  }

  async snapshot(): Promise<StoreSnapshot> {
    const refusal = this.#refusal('snapshot');
    if (refusal !== null) throw refusal;
    const copying = this.#database.snapshot();
    this.#copying.add(copying);
    try {
      return await openTableSource(await copying);
    } catch (error) {
      throw storageProblem(this.#database.flavor, error) ?? error;
    } finally {
      this.#copying.delete(copying);
    }
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      await this.#turns.idle();
      await Promise.allSettled(this.#copying);
      await this.#headFile?.close();
      await this.#database.close();
    })();
    return this.#closing;
  }

  /** The newest event that this process knows of. */
  get head(): LedgerHead {
    return this.#commits.head;
  }

  /**
   * Takes up what is in the database and did not come through this store: after a lost connection, or
   * when another program wrote. Whoever waits for anything is woken, for what they missed is not known.
   */
  catchUp(): Promise<void> {
    // Not through `read`: what found out may have been a statement of a work, which is not what waits here.
    return this.#readInTurn(async (reader) => {
      let { head } = this.#commits;
      const events: Event[] = [];
      for (;;) {
        const page = await reader.events.list({ after: head.seq, limit: CATCH_UP_PAGE });
        events.push(...page);
        const last = page.at(-1);
        if (last !== undefined) head = { seq: last.seq, hash: last.hash };
        if (page.length < CATCH_UP_PAGE) break;
      }
      const topologyRevision = await reader.topology.revision();
      const queued = Object.entries(await reader.jobs.countQueued()) as [JobKind, number][];
      const queuedKinds = queued.flatMap(([kind, count]) =>
        Array.from({ length: Math.min(count, MOST_WOKEN) }, () => kind),
      );
      // Still in its turn: no batch may begin with an older head.
      this.#commits.moveHead(head);
      this.#announce({ events, queuedKinds, topologyRevision, transactions: 0, durationMs: 0 }, head);
    });
  }

  #refusal(call: string): Error | null {
    if (this.#closing !== null) return new ProblemError('stopping', 'The box is stopping. Try again later.');
    if (this.#caller.getStore()?.isOpen === true) {
      return new Error(
        `${call} was called from inside the work of another transact or read: it would wait for itself`,
      );
    }
    return null;
  }

  #announce(notice: CommitNotice, head: LedgerHead): void {
    this.#headFile?.advance(head);
    for (const listener of this.#listeners) {
      try {
        listener(notice);
      } catch (error) {
        // A listener's bug is loud, but the commit stands and its callers must hear of it.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

/** What the ledger says of itself at the start, before there is a store. */
export async function readLedgerEnd(database: OpenDatabase): Promise<LedgerHead> {
  const newest = sql<LedgerHead>`select seq, hash from events order by seq desc limit 1`;
  const { rows } = await database.connection.executeQuery<LedgerHead>(newest.compile(database.builder));
  return rows[0] ?? EMPTY_HEAD;
}

export async function readEventHash(database: OpenDatabase, seq: number): Promise<string | null> {
  const found = sql<{ hash: string }>`select hash from events where seq = ${seq}`;
  const { rows } = await database.connection.executeQuery<{ hash: string }>(found.compile(database.builder));
  return rows[0]?.hash ?? null;
}
