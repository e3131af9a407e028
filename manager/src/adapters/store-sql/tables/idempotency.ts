import type { Kysely } from 'kysely';
import type { IdempotencyRecord } from '../../../ports/records.ts';
import type { StoreTransaction } from '../../../ports/store.ts';
import { documentTable } from '../document-table.ts';
import type { Schema } from '../schema.ts';
import type { Session } from '../session.ts';
import { statement } from '../statement.ts';

export function idempotencyTable(
  builder: Kysely<Schema>,
): (session: Session) => StoreTransaction['idempotency'] {
  const table = documentTable<IdempotencyRecord>({
    builder,
    table: 'idempotency',
    keyOf: (key) => ({ key }),
    keyOfRecord: (record) => record.key,
    columnsOf: (record) => ({ created_at: record.createdAt }),
  });
  const removal = statement<{ instant: string }, unknown>((param) =>
    builder.deleteFrom('idempotency').where('created_at', '<', param('instant')).compile(),
  );
  return (session) => ({
    get: (key) => table.get(session, key),
    insert: (record) => table.insert(session, record),
    save: (record) => table.save(session, record),
    removeOlderThan: (instant) => session.write(removal({ instant })),
  });
}
