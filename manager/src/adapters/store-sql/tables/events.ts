import { hash } from 'node:crypto';
import type { Event } from '@dbox/contracts';
import type { Kysely } from 'kysely';
import { canonicalJson, eventHashText } from '../../../domain/event-hash.ts';
import type { StoreTransaction } from '../../../ports/store.ts';
import type { EventColumns, Schema } from '../schema.ts';
import type { LedgerHead, Session } from '../session.ts';
import { statement } from '../statement.ts';

/**
 * The ledger. One transaction at a time writes, so the newest event's number and hash are kept in
 * memory (`Session.ledgerHead`) and an append is one insert.
 */
export function eventsTable(builder: Kysely<Schema>): (session: Session) => StoreTransaction['events'] {
  const oldest = builder.selectFrom('events').selectAll().orderBy('seq');
  const after = statement<{ after: number; limit: number }, EventColumns>((param) =>
    oldest.where('seq', '>', param('after')).limit(param('limit')).compile(),
  );
  const ofSubject = statement<{ after: number; limit: number; subject: string }, EventColumns>((param) =>
    oldest
      .where('subject', '=', param('subject'))
      .where('seq', '>', param('after'))
      .limit(param('limit'))
      .compile(),
  );
  const newest = statement<object, LedgerHead>(() =>
    builder.selectFrom('events').select(['seq', 'hash']).orderBy('seq', 'desc').limit(1).compile(),
  );
  const insertion = statement<EventColumns, unknown>((param) =>
    builder
      .insertInto('events')
      .values({
        seq: param('seq'),
        at: param('at'),
        actor: param('actor'),
        type: param('type'),
        subject: param('subject'),
        data: param('data'),
        hash: param('hash'),
      })
      .compile(),
  );
  return (session) => ({
    async list(query) {
      const { subject } = query;
      const rows = await session.rows(
        subject === undefined ? after(query) : ofSubject({ ...query, subject }),
      );
      return rows.map(toEvent);
    },
    async head() {
      const row = await session.row(newest({}));
      return row && { seq: row.seq, hash: row.hash };
    },
    async append(draft) {
      const { seq, hash: previousHash } = session.ledgerHead;
      const data = canonicalJson(draft.data);
      const unhashed = {
        seq: seq + 1,
        // A database cannot keep half of a surrogate pair, and what is hashed must be what is kept.
        at: draft.at.toWellFormed(),
        actor: draft.actor.toWellFormed(),
        type: draft.type.toWellFormed(),
        subject: draft.subject.toWellFormed(),
        data: draft.data,
      };
      const event: Event = { ...unhashed, hash: eventHash(previousHash, unhashed, data) };
      await session.writeForSure(insertion({ ...event, data }));
      session.ledgerHead = { seq: event.seq, hash: event.hash };
      session.changes.events.push(event);
      return event;
    },
  });
}

export function eventHash(previousHash: string, event: Omit<Event, 'hash'>, canonicalData?: string): string {
  return hash('sha256', eventHashText(previousHash, event, canonicalData), 'hex');
}

function toEvent(row: EventColumns): Event {
  return {
    seq: row.seq,
    at: row.at,
    actor: row.actor,
    type: row.type,
    subject: row.subject,
    data: JSON.parse(row.data) as Event['data'],
    hash: row.hash,
  };
}
