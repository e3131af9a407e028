import type { Kysely } from 'kysely';
import type { ArtifactRecord } from '../../../ports/records.ts';
import type { StoreTransaction } from '../../../ports/store.ts';
import { type DocumentRow, documentTable, readDocuments } from '../document-table.ts';
import type { Schema } from '../schema.ts';
import type { Session } from '../session.ts';
import { statement } from '../statement.ts';

export function artifactsTable(builder: Kysely<Schema>): (session: Session) => StoreTransaction['artifacts'] {
  const table = documentTable<ArtifactRecord>({
    builder,
    table: 'artifacts',
    keyOf: (id) => ({ id }),
    keyOfRecord: (artifact) => artifact.id,
    columnsOf: (artifact) => ({ task_id: artifact.taskId }),
  });
  const ofTask = statement<{ taskId: string }, DocumentRow>((param) =>
    builder
      .selectFrom('artifacts')
      .select('doc')
      .where('task_id', '=', param('taskId'))
      .orderBy('ordinal')
      .compile(),
  );
  const removal = statement<{ id: string }, unknown>((param) =>
    builder.deleteFrom('artifacts').where('id', '=', param('id')).compile(),
  );
  return (session) => ({
    get: (id) => table.get(session, id),
    insert: (artifact) => table.insert(session, artifact),
    save: (artifact) => table.save(session, artifact),
    listOfTask: (taskId) => readDocuments(session.rows(ofTask({ taskId }))),
    async remove(id) {
      await session.write(removal({ id }));
    },
  });
}
