import { CompiledQuery } from 'kysely';
import { StoreHeldError } from '../store-held-error.ts';
import { labelOf } from './address.ts';
import { COMMITS_CHANNEL } from './flavor.ts';
import { PostgresSession, type SessionOptions } from './session.ts';

/** `dbox` and 1, as the two halves of an advisory lock; such a lock belongs to one database and one session. */
const LOCK = [0x64_62_6f_78, 1] as const;
/** `pg_current_xact_id` came with 13, `client_connection_check_interval` with 14. */
const OLDEST_VERSION = 14;

/** This server will not do, whatever one waits. */
export class UnfitServerError extends Error {
  override readonly name = 'UnfitServerError';
}

/**
 * The server, too, must notice a peer that is gone without a word, and within seconds: the lock of a
 * manager whose machine died is free after about eleven. A transaction that stands still for a minute is
 * a process that was stopped. Nothing is acknowledged that a crash of the server could take back.
 */
const SETTINGS = `
  set client_min_messages = warning;
  set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 2; set tcp_keepalives_count = 3;
  set tcp_user_timeout = 11000;
  set client_connection_check_interval = 5000;
  set idle_in_transaction_session_timeout = 60000;
  set statement_timeout = 0;
  select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off';
`;

/** A connection that holds the store, is set up for it and hears of others' commits. Throws `StoreHeldError`. */
export async function openHeldSession(o: SessionOptions): Promise<PostgresSession> {
  const session = await PostgresSession.open(o);
  try {
    await assertFit(session);
    await run(session, SETTINGS);
    await hold(session, o);
    await run(session, `listen ${COMMITS_CHANNEL}`);
    return session;
  } catch (error) {
    session.abandon('it could not be set up');
    throw error;
  }
}

async function assertFit(session: PostgresSession): Promise<void> {
  const [server] = await run<{ version: number; encoding: string; standby: string }>(
    session,
    `select current_setting('server_version_num')::int / 10000 as version,
      current_setting('server_encoding') as encoding, pg_is_in_recovery()::text as standby`,
  );
  if (server === undefined) throw new Error('the server says nothing of itself');
  if (server.version < OLDEST_VERSION) {
    throw new UnfitServerError(
      `PostgreSQL ${server.version} is too old: version ${OLDEST_VERSION} or newer is needed, 17 is what is tested`,
    );
  }
  if (server.encoding !== 'UTF8') {
    throw new UnfitServerError(
      `the database is encoded in ${server.encoding}; make one with \`create database … encoding 'UTF8' template template0\``,
    );
  }
  // It may be promoted in a moment.
  if (server.standby === 'true') throw new Error('the server is a standby that takes no writes');
}

async function hold(session: PostgresSession, o: SessionOptions): Promise<void> {
  // A session of this very process, whose connection broke without the server noticing, must not keep it out.
  await run(
    session,
    `select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = $1 and usename = current_user and pid <> pg_backend_pid()`,
    [o.applicationName],
  );
  const [lock] = await run<{ taken: string }>(
    session,
    'select pg_try_advisory_lock($1::int, $2::int)::text as taken',
    LOCK,
  );
  if (lock?.taken === 'true') return;
  const [holder] = await run<{ name: string; address: string | null; since: string }>(
    session,
    `select application_name as name, client_addr::text as address, backend_start::timestamp(0)::text as since
      from pg_locks join pg_stat_activity using (pid)
      where locktype = 'advisory' and granted and classid = $1::int and objid = $2::int
        and pg_locks.database = (select oid from pg_database where datname = current_database())`,
    LOCK,
  );
  const place = labelOf(o.address);
  const who =
    holder === undefined
      ? 'Another manager'
      : `Another manager (${holder.name}, from ${holder.address ?? 'the same machine'}, since ${holder.since})`;
  throw new StoreHeldError({
    place,
    message: `${who} holds the task store ${place}. Use its box, stop it first, or give this one another database with DBOX_STORE.`,
  });
}

async function run<R>(
  session: PostgresSession,
  text: string,
  values: readonly unknown[] = [],
): Promise<readonly R[]> {
  return (await session.executeQuery<R>(CompiledQuery.raw(text.trim(), [...values]))).rows;
}
