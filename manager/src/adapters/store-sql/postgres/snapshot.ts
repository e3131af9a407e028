import { CompiledQuery } from 'kysely';
import { PATIENT_ANSWER_LIMIT_MS, PostgresSession, type SessionOptions } from './session.ts';

/**
 * A connection whose one transaction sees the moment at which it was opened. A reader may be slow, but
 * one that is gone for ten minutes keeps the server from tidying up no longer.
 */
export async function openSnapshotSession(
  o: Pick<SessionOptions, 'address' | 'clock' | 'applicationName'>,
): Promise<PostgresSession> {
  const session = await PostgresSession.open({
    ...o,
    onLost: () => {},
    onNotice: () => {},
    outcomeOf: () => Promise.resolve('unknown'),
  });
  session.answerLimitMs = PATIENT_ANSWER_LIMIT_MS;
  try {
    await session.executeQuery(CompiledQuery.raw('set idle_in_transaction_session_timeout = 600000'));
    await session.executeQuery(
      CompiledQuery.raw('start transaction isolation level repeatable read read only'),
    );
    // The moment is that of the first statement that looks.
    await session.executeQuery(CompiledQuery.raw('select 1 from events limit 1'));
    return session;
  } catch (error) {
    session.abandon('it could not be set up');
    throw error;
  }
}
