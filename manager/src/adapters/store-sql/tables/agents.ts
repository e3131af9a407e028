import type { Kysely } from 'kysely';
import type { AgentRecord } from '../../../ports/records.ts';
import type { StoreTransaction } from '../../../ports/store.ts';
import { type DocumentRow, documentTable, readDocument, readDocuments } from '../document-table.ts';
import type { Schema } from '../schema.ts';
import type { Session } from '../session.ts';
import { statement } from '../statement.ts';

export function agentsTable(builder: Kysely<Schema>): (session: Session) => StoreTransaction['agents'] {
  const table = documentTable<AgentRecord>({
    builder,
    table: 'agents',
    keyOf: (id) => ({ id }),
    keyOfRecord: (agent) => agent.id,
    columnsOf: (agent) => ({ name: agent.name }),
  });
  const byName = statement<{ name: string }, DocumentRow>((param) =>
    builder.selectFrom('agents').select('doc').where('name', '=', param('name')).compile(),
  );
  const all = statement<object, DocumentRow>(() =>
    builder.selectFrom('agents').select('doc').orderBy('ordinal').compile(),
  );
  return (session) => ({
    get: (id) => table.get(session, id),
    insert: (agent) => table.insert(session, agent),
    save: (agent) => table.save(session, agent),
    async findByName(name) {
      const row = await session.row(byName({ name }));
      return row && readDocument<AgentRecord>(row);
    },
    list: () => readDocuments(session.rows(all({}))),
  });
}
