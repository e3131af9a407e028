import { readFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import type { CompiledQuery, QueryResult } from 'kysely';
import pg from 'pg';
import type { Clock } from '../../../ports/clock.ts';
import { CommitInDoubtError, type CommitOutcome, type StoreConnection } from '../open-database.ts';
import type { PostgresAddress } from './address.ts';
import { ConnectionLostError, EarlierStatementError, LEDGER_KEY } from './flavor.ts';

/** A server in reach accepts within milliseconds; this allows for one that is busy on a far network. */
const CONNECT_LIMIT_MS = 5_000;
/** A statement of this store takes milliseconds. Past this the network is cut or the server stands still. */
export const ANSWER_LIMIT_MS = 8_000;
/** What changes tables may take its time. */
export const PATIENT_ANSWER_LIMIT_MS = 600_000;
const LOOK_INTERVAL_MS = 1_000;
/** A dead peer is noticed on an idle connection after about 15 s: node then probes each second, ten times. */
const KEEP_ALIVE_MS = 5_000;

/** Whole numbers as numbers: none here goes beyond 2^53. Everything else as Postgres writes it. */
const NUMBER_TYPES = new Set([20, 21, 23]);
const types = {
  getTypeParser: (oid: number) => (NUMBER_TYPES.has(oid) ? Number : (text: string) => text),
};

interface Answer {
  readonly rows: readonly Record<string, unknown>[];
  readonly rowCount: number | null;
  readonly command: string;
}

export interface SessionOptions {
  readonly address: PostgresAddress;
  readonly clock: Clock;
  readonly applicationName: string;
  /** Called once, at the latest when the first statement is refused for it. */
  readonly onLost: (error: ConnectionLostError) => void;
  /** Another session's NOTIFY; or the ledger was found to hold what this process does not know, and then ''. */
  readonly onNotice: (payload: string) => void;
  /** Learns, on a later connection, what became of a transaction. */
  readonly outcomeOf: (xid: string) => Promise<CommitOutcome>;
}

/**
 * One connection. Statements are sent at once and answered in their order: what needs no answer of its
 * own (`begin`, savepoints) travels with the next statement and costs no round trip. When the
 * connection breaks, whatever is under way and whatever comes later is refused with `ConnectionLostError`.
 */
export class PostgresSession implements StoreConnection {
  readonly #client: pg.Client;
  readonly #socket: Socket;
  readonly #o: SessionOptions;
  /** Names of prepared statements by their text; the texts of this store are a fixed set. */
  readonly #names = new Map<string, string>();
  /** The transaction's number, null where its answer was lost or not asked for yet; absent outside of a transaction. */
  #xid: Promise<string | null> | null = null;
  /** Statements without values that need no answer of their own: they go with the next one. */
  #held: string[] = [];
  #unawaitedFailure: unknown = null;
  #lost: ConnectionLostError | null = null;
  #pending = 0;
  #progressAtMs = 0;
  #watching = false;
  answerLimitMs = ANSWER_LIMIT_MS;

  static async open(o: SessionOptions): Promise<PostgresSession> {
    const { address } = o;
    const password = await readPassword(address);
    const ssl = await tlsOptions(address);
    const socket = new Socket();
    const client = new pg.Client({
      host: address.host,
      port: address.port,
      database: address.database,
      user: address.user,
      password,
      ssl,
      application_name: o.applicationName,
      connectionTimeoutMillis: CONNECT_LIMIT_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      pipeline: true,
      stream: () => socket,
      types,
    } as pg.ClientConfig);
    const session = new PostgresSession(client, socket, o);
    try {
      await client.connect();
    } catch (error) {
      socket.destroy();
      throw error;
    }
    return session;
  }

  private constructor(client: pg.Client, socket: Socket, o: SessionOptions) {
    this.#client = client;
    this.#socket = socket;
    this.#o = o;
    client.on('error', (error) => this.#lose(error.message, error));
    client.on('end', () => this.#lose('it was closed', null));
    client.on('notification', ({ processId, payload }) => {
      if (processId !== (client as unknown as { processID: number }).processID) o.onNotice(payload ?? '');
    });
  }

  get isLost(): boolean {
    return this.#lost !== null;
  }

  async executeQuery<R>(query: CompiledQuery<unknown>): Promise<QueryResult<R>> {
    switch (query.sql) {
      case 'begin':
        this.#begin();
        return { rows: [] };
      case 'savepoint work':
      case 'release work':
      case 'rollback to work':
        this.#held.push(query.sql);
        return { rows: [] };
      case 'rollback':
        await this.#rollback();
        return { rows: [] };
    }
    if (query.sql.endsWith('commit')) {
      await this.#commit(query.sql);
      return { rows: [] };
    }
    this.#sendHeld();
    const answer = lastOf(await this.#ask(query.sql, query.parameters));
    return { rows: answer.rows as R[], numAffectedRows: BigInt(answer.rowCount ?? 0) };
  }

  /** For reads that would need more than this store's lists hold, there is the cursor of the list itself. */
  streamQuery(): AsyncIterableIterator<never> {
    throw new Error('this store reads lists, not streams');
  }

  /** Sends it, knowing that a refusal is told to whatever comes next in the transaction. */
  executeLater(query: CompiledQuery<unknown>): void {
    this.#sendHeld();
    this.#unawaited(this.#ask(query.sql, query.parameters));
  }

  async close(): Promise<void> {
    if (this.#lost !== null) return;
    this.#lost = new ConnectionLostError('the store is closed');
    // The server ends the session, and frees its lock, when it reads the goodbye.
    const limit = this.#o.clock.after(LOOK_INTERVAL_MS, () => this.#socket.destroy());
    await this.#client.end().catch(() => undefined);
    limit();
    this.#socket.destroy();
  }

  /** Ends it at once, for a reason that is told to whoever uses it. */
  abandon(reason: string): void {
    this.#lose(reason, null);
  }

  #begin(): void {
    this.#unawaitedFailure = null;
    this.#held = ['begin', 'select pg_current_xact_id()::text as xid'];
    this.#xid = Promise.resolve(null);
  }

  /** What waited for company: several statements without values make one message. */
  #sendHeld(): void {
    const held = this.#held;
    if (held.length === 0) return;
    this.#held = [];
    const sent = this.#ask(held.join('; '));
    if (held[0] === 'begin') {
      this.#xid = sent.then(
        (answers) => String((answers as unknown as readonly Answer[])[1]?.rows[0]?.xid),
        () => null,
      );
    }
    this.#unawaited(sent);
  }

  #unawaited(answer: Promise<unknown>): void {
    answer.catch((error: unknown) => {
      this.#unawaitedFailure ??= error;
    });
  }

  async #commit(text: string): Promise<void> {
    if (this.#lost !== null) throw this.#lost;
    // The transaction's number must be known before there can be a doubt about its end. Whatever was asked
    // since has brought it already.
    if (this.#held[0] === 'begin') this.#sendHeld();
    const xid = await this.#xid;
    if (this.#lost !== null) throw this.#lost;
    const held = this.#held;
    this.#held = [];
    let answer: Answer;
    try {
      answer = lastOf(await this.#ask([...held, text].join('; ')));
    } catch (error) {
      if (!(error instanceof ConnectionLostError)) throw error;
      // A migration has no number and no caller to tell.
      throw xid === null ? error : new CommitInDoubtError(this.#o.outcomeOf(xid), error);
    }
    // Only now: one that was refused has still to be rolled back.
    this.#xid = null;
    // A transaction that a refused statement has ended answers COMMIT with ROLLBACK, and no error.
    if (answer.command !== 'COMMIT') throw new EarlierStatementError('it was rolled back');
  }

  async #rollback(): Promise<void> {
    if (this.#xid === null) return;
    this.#xid = null;
    const begun = this.#held[0] !== 'begin';
    this.#held = [];
    // What never began needs no end.
    if (begun) await this.#ask('rollback');
  }

  async #ask(text: string, values?: readonly unknown[]): Promise<Answer> {
    if (this.#lost !== null) throw this.#lost;
    this.#watch();
    this.#pending += 1;
    try {
      const query = /^(select|insert|update|delete)\b/.test(text)
        ? { name: this.#nameOf(text), text, values: [...(values ?? [])] }
        : { text, ...(values?.length ? { values: [...values] } : {}) };
      return await this.#client.query(query);
    } catch (error) {
      throw this.#explain(error);
    } finally {
      this.#pending -= 1;
      this.#progressAtMs = performance.now();
    }
  }

  #explain(error: unknown): unknown {
    if (this.#lost !== null) return this.#lost;
    if (error instanceof pg.DatabaseError && /^(FATAL|PANIC)$/.test(error.severity ?? '')) {
      return this.#lose(error.message, error);
    }
    // Somebody else gave a number of the ledger, and did not tell.
    if (error instanceof pg.DatabaseError && error.constraint === LEDGER_KEY) this.#o.onNotice('');
    if (this.#unawaitedFailure !== null) {
      const earlier = this.#unawaitedFailure;
      return new EarlierStatementError(earlier instanceof Error ? earlier.message : String(earlier), {
        cause: earlier,
      });
    }
    return error;
  }

  #nameOf(text: string): string {
    const known = this.#names.get(text);
    if (known !== undefined) return known;
    const name = `s${this.#names.size}`;
    this.#names.set(text, name);
    return name;
  }

  #lose(reason: string, cause: unknown): ConnectionLostError {
    if (this.#lost !== null) return this.#lost;
    this.#lost = new ConnectionLostError(`the connection to Postgres was lost: ${reason}`, { cause });
    this.#socket.destroy();
    this.#o.onLost(this.#lost);
    return this.#lost;
  }

  /** A cut network says nothing: an answer that is overdue is all there is to see. */
  #watch(): void {
    if (this.#pending === 0) this.#progressAtMs = performance.now();
    if (this.#watching) return;
    this.#watching = true;
    const look = () => {
      this.#watching = false;
      if (this.#pending === 0 || this.#lost !== null) return;
      const silentMs = performance.now() - this.#progressAtMs;
      if (silentMs > this.answerLimitMs) {
        this.#lose(`it did not answer for ${Math.round(silentMs / 1000)} s`, null);
        return;
      }
      this.#watching = true;
      this.#o.clock.after(LOOK_INTERVAL_MS, look);
    };
    this.#o.clock.after(LOOK_INTERVAL_MS, look);
  }
}

/** A text of several statements has an answer for each. */
function lastOf(answer: Answer | readonly Answer[]): Answer {
  return Array.isArray(answer) ? (answer as readonly Answer[]).at(-1)! : (answer as Answer);
}

async function readPassword({ password }: PostgresAddress): Promise<string> {
  if (password.kind === 'none') return '';
  if (password.kind === 'text') return password.text;
  // Editors end a file with a newline, and no password does.
  return (await readFile(password.path, 'utf8')).replace(/\r?\n$/, '');
}

async function tlsOptions(address: PostgresAddress): Promise<pg.ClientConfig['ssl']> {
  if (address.tls === 'disable') return false;
  if (address.tls === 'require') return { rejectUnauthorized: false };
  const ca =
    address.rootCertificateFile === null ? {} : { ca: await readFile(address.rootCertificateFile, 'utf8') };
  return {
    ...ca,
    rejectUnauthorized: true,
    ...(address.tls === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}),
  };
}
