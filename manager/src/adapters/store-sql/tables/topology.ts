import { type Kysely, sql } from 'kysely';
import type { StoreTransaction } from '../../../ports/store.ts';
import type { Schema } from '../schema.ts';
import type { Session } from '../session.ts';
import { statement } from '../statement.ts';

interface RevisionRow {
  readonly revision: number;
}

/** One row, made by the first migration. */
export function topologyTable(builder: Kysely<Schema>): (session: Session) => StoreTransaction['topology'] {
  const current = statement<object, RevisionRow>(() =>
    builder.selectFrom('topology').select('revision').where('id', '=', 1).compile(),
  );
  const growth = statement<object, RevisionRow>(() =>
    sql<RevisionRow>`update topology set revision = revision + 1 where id = 1 returning revision`.compile(
      builder,
    ),
  );
  return (session) => ({
    async revision() {
      return (await session.row(current({})))?.revision ?? 0;
    },
    async bump() {
      const [row] = await session.writeRows(growth({}));
      if (row === undefined) throw new Error('the store has no topology row');
      session.changes.topologyRevision = row.revision;
      return row.revision;
    },
  });
}
