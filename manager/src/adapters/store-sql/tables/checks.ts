import type { Kysely } from 'kysely';
import type { CheckRecord } from '../../../ports/records.ts';
import type { StoreTransaction } from '../../../ports/store.ts';
import { type DocumentRow, documentTable, readDocuments } from '../document-table.ts';
import type { Schema } from '../schema.ts';
import type { Session } from '../session.ts';
import { statement } from '../statement.ts';

export function checksTable(builder: Kysely<Schema>): (session: Session) => StoreTransaction['checks'] {
  const table = documentTable<CheckRecord, { project: string; id: string }>({
    builder,
    table: 'checks',
    keyOf: ({ project, id }) => ({ project, id }),
    keyOfRecord: ({ project, id }) => ({ project, id }),
    columnsOf: () => ({}),
  });
  const ofProject = statement<{ project: string }, DocumentRow>((param) =>
    builder
      .selectFrom('checks')
      .select('doc')
      .where('project', '=', param('project'))
      .orderBy('ordinal')
      .compile(),
  );
  return (session) => ({
    get: (key) => table.get(session, key),
    insert: (check) => table.insert(session, check),
    save: (check) => table.save(session, check),
    listOfProject: (project) => readDocuments(session.rows(ofProject({ project }))),
  });
}
