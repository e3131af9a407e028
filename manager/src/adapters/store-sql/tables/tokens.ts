import type { Kysely } from 'kysely';
import type { TokenRecord } from '../../../ports/records.ts';
import type { StoreTransaction } from '../../../ports/store.ts';
import { type DocumentRow, documentTable, readDocument, readDocuments } from '../document-table.ts';
import type { Schema } from '../schema.ts';
import type { Session } from '../session.ts';
import { statement } from '../statement.ts';

export function tokensTable(builder: Kysely<Schema>): (session: Session) => StoreTransaction['tokens'] {
  const table = documentTable<TokenRecord>({
    builder,
    table: 'tokens',
    keyOf: (id) => ({ id }),
    keyOfRecord: (token) => token.id,
    columnsOf: (token) => ({ hash: token.hash, revoked_at: token.revokedAt }),
  });
  const byHash = statement<{ hash: string }, DocumentRow>((param) =>
    builder.selectFrom('tokens').select('doc').where('hash', '=', param('hash')).compile(),
  );
  const valid = statement<object, DocumentRow>(() =>
    builder.selectFrom('tokens').select('doc').where('revoked_at', 'is', null).orderBy('ordinal').compile(),
  );
  return (session) => ({
    get: (id) => table.get(session, id),
    insert: (token) => table.insert(session, token),
    save: (token) => table.save(session, token),
    async findByHash(hash) {
      const row = await session.row(byHash({ hash }));
      return row && readDocument<TokenRecord>(row);
    },
    list: () => readDocuments(session.rows(valid({}))),
  });
}
