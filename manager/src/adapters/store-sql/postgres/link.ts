import { randomBytes } from 'node:crypto';
import {
  CompiledQuery,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
} from 'kysely';
import type { Clock } from '../../../ports/clock.ts';
import type { CommitOutcome, OpenDatabase, SnapshotDatabase, StoreConnection } from '../open-database.ts';
import type { Schema } from '../schema.ts';
import type { LedgerHead } from '../session.ts';
import { labelOf, type PostgresAddress } from './address.ts';
import { ConnectionLostError, POSTGRES_FLAVOR } from './flavor.ts';
import { openHeldSession } from './hold.ts';
import { ANSWER_LIMIT_MS, PATIENT_ANSWER_LIMIT_MS, type PostgresSession } from './session.ts';
import { openSnapshotSession } from './snapshot.ts';

/** A server that restarts is back within a second; one that is gone is not to be hammered. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;
/** A caller of a commit in doubt waits so long for the truth; most have a time-out of 30 s. */
const DOUBT_LIMIT_MS = 10_000;

/** What the store that lives on this link has to say and to do. */
export interface Dweller {
  readonly head: LedgerHead;
  /** Takes up what it missed; called before anything else runs on a new connection. */
  catchUp(): Promise<void>;
}

export interface LinkOptions {
  readonly address: PostgresAddress;
  readonly clock: Clock;
  readonly log: (level: 'info' | 'warn' | 'error', message: string, data?: object) => void;
}

interface Doubt {
  readonly xid: string;
  settle(outcome: CommitOutcome): void;
}

/**
 * The one connection of the one manager, made again whenever it breaks. Nothing runs on a new one before
 * it holds the lock and shows the ledger that this process knows: a database that was restored to an
 * older state would otherwise fork it.
 */
export class PostgresLink implements OpenDatabase {
  readonly builder = new Kysely<Schema>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
  readonly flavor = POSTGRES_FLAVOR;
  readonly label: string;
  readonly #o: LinkOptions;
  /** Tells this process's own dead sessions from those of others. */
  readonly #applicationName = `dbox-manager-${randomBytes(6).toString('hex')}`;
  #session: PostgresSession | null = null;
  #trouble: ConnectionLostError;
  #dweller: Dweller | null = null;
  #doubts: Doubt[] = [];
  #catchingUp = false;
  #reconnecting: Promise<void> | null = null;
  #closed = false;
  #cancelPause: () => void = () => {};

  constructor(o: LinkOptions) {
    this.#o = o;
    this.label = labelOf(o.address);
    this.#trouble = new ConnectionLostError(`${this.label} was not reached yet`);
  }

  get connection(): StoreConnection {
    return this.#session ?? deadConnection(this.#trouble);
  }

  /** The first connection. Throws what keeps it from being made. */
  async open(): Promise<void> {
    this.#session = await this.#connect();
    this.#session.answerLimitMs = PATIENT_ANSWER_LIMIT_MS;
  }

  /** From now on a lost connection is made again. */
  serve(dweller: Dweller): void {
    this.#dweller = dweller;
    if (this.#session === null) this.#startReconnecting();
    else this.#session.answerLimitMs = ANSWER_LIMIT_MS;
  }

  /** A connection of its own, so that a slow reader keeps nobody waiting. */
  async snapshot(): Promise<SnapshotDatabase> {
    const session = await openSnapshotSession({
      address: this.#o.address,
      clock: this.#o.clock,
      applicationName: `${this.#applicationName}-snapshot`,
    });
    return { connection: session, flavor: this.flavor, close: () => session.close() };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelPause();
    this.#settleDoubts('unknown');
    await this.#session?.close();
    await this.#reconnecting;
  }

  #connect(): Promise<PostgresSession> {
    const session = openHeldSession({
      ...this.#o,
      applicationName: this.#applicationName,
      onLost: (error) => session.then((lost) => this.#onLost(lost, error)).catch(() => undefined),
      onNotice: (payload) => this.#onNotice(payload),
      outcomeOf: (xid) => this.#outcomeOf(xid),
    });
    return session;
  }

  #onLost(session: PostgresSession, error: ConnectionLostError): void {
    if (this.#session !== session) return;
    this.#session = null;
    this.#trouble = error;
    if (this.#closed || this.#dweller === null) return;
    this.#o.log('warn', `the task store ${this.label} is out of reach and looked for: ${error.message}`);
    this.#startReconnecting();
  }

  #startReconnecting(): void {
    this.#reconnecting ??= this.#reconnect().finally(() => {
      this.#reconnecting = null;
      // Lost again before this turn had ended.
      if (this.#session === null && !this.#closed) this.#startReconnecting();
    });
  }

  async #reconnect(): Promise<void> {
    const lostAtMs = performance.now();
    for (let pauseMs = FIRST_PAUSE_MS; !this.#closed; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        await this.#restore();
        const seconds = ((performance.now() - lostAtMs) / 1000).toFixed(1);
        this.#o.log('info', `the task store ${this.label} is back after ${seconds} s`);
        return;
      } catch (error) {
        this.#noteTrouble(error);
      }
      if (!this.#closed) await this.#pause(pauseMs);
    }
  }

  async #restore(): Promise<void> {
    const dweller = this.#dweller!;
    const session = await this.#connect();
    let doubts: { readonly doubt: Doubt; readonly outcome: CommitOutcome }[];
    try {
      if (this.#closed) throw new Error('the store is closed');
      await assertSameLedger(session, dweller.head);
      doubts = await Promise.all(
        this.#doubts.map(async (doubt) => ({ doubt, outcome: await readOutcome(session, doubt.xid) })),
      );
    } catch (error) {
      session.abandon('it was of no use');
      throw error;
    }
    this.#session = session;
    try {
      // Queued before whatever is asked for from now on.
      await dweller.catchUp();
    } catch (error) {
      this.#session = null;
      session.abandon('what it holds could not be taken up');
      throw error;
    }
    for (const { doubt, outcome } of doubts) doubt.settle(outcome);
  }

  /** Said once for each kind of trouble, not with each try. */
  #noteTrouble(error: unknown): void {
    const message = reasonOf(error);
    const trouble =
      error instanceof ConnectionLostError ? error : new ConnectionLostError(message, { cause: error });
    if (trouble.message !== this.#trouble.message) {
      this.#o.log('warn', `the task store ${this.label} cannot be used yet: ${message}`);
    }
    this.#trouble = trouble;
  }

  #pause(durationMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#o.clock.after(durationMs, resolve);
      this.#cancelPause = () => {
        cancel();
        resolve();
      };
    });
  }

  #outcomeOf(xid: string): Promise<CommitOutcome> {
    if (this.#closed) return Promise.resolve('unknown');
    return new Promise((resolve) => {
      const settle = (outcome: CommitOutcome) => {
        cancel();
        this.#doubts = this.#doubts.filter((one) => one !== doubt);
        resolve(outcome);
      };
      const doubt = { xid, settle };
      const cancel = this.#o.clock.after(DOUBT_LIMIT_MS, () => settle('unknown'));
      this.#doubts.push(doubt);
    });
  }

  #settleDoubts(outcome: CommitOutcome): void {
    for (const doubt of [...this.#doubts]) doubt.settle(outcome);
  }

  /** Another program wrote to the ledger: those who follow it must see that too. */
  #onNotice(payload: string): void {
    const dweller = this.#dweller;
    if (dweller === null || this.#catchingUp) return;
    if (/^\d{1,15}$/.test(payload) && Number(payload) <= dweller.head.seq) return;
    this.#catchingUp = true;
    dweller
      .catchUp()
      // Lost meanwhile: the next connection begins with it.
      .catch(() => undefined)
      .finally(() => {
        this.#catchingUp = false;
      });
  }
}

function deadConnection(trouble: ConnectionLostError): StoreConnection {
  return {
    executeQuery: () => Promise.reject(trouble),
    streamQuery: () => {
      throw trouble;
    },
  };
}

async function assertSameLedger(session: PostgresSession, known: LedgerHead): Promise<void> {
  if (known.seq === 0) return;
  const { rows } = await session.executeQuery<{ hash: string }>(
    CompiledQuery.raw('select hash from events where seq = $1', [known.seq]),
  );
  if (rows[0]?.hash === known.hash) return;
  throw new Error(
    `its ledger does not hold event ${known.seq} as this manager knows it: the database was replaced or restored to an older state. Restore the right one, or stop the box and start it again to go on from what is there (\`dbox events verify\` then tells of it)`,
  );
}

async function readOutcome(session: PostgresSession, xid: string): Promise<CommitOutcome> {
  try {
    const { rows } = await session.executeQuery<{ status: string | null }>(
      CompiledQuery.raw('select pg_xact_status($1::xid8) as status', [xid]),
    );
    const status = rows[0]?.status ?? null;
    if (status === 'committed') return 'committed';
    return status === 'aborted' ? 'not_committed' : 'unknown';
  } catch (error) {
    if (error instanceof ConnectionLostError) throw error;
    // A number that this server has not given yet: it is another server.
    return 'unknown';
  }
}

/** Node tries several addresses of a name, and then says nothing of its own. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
