import { type Kysely, sql } from 'kysely';
import type { StoryRecord } from '../../../ports/records.ts';
import type { StoreTransaction } from '../../../ports/store.ts';
import { type DocumentRow, documentTable, readDocuments } from '../document-table.ts';
import type { Schema } from '../schema.ts';
import type { Session } from '../session.ts';
import { statement } from '../statement.ts';

export function storiesTable(builder: Kysely<Schema>): (session: Session) => StoreTransaction['stories'] {
  const table = documentTable<StoryRecord>({
    builder,
    table: 'stories',
    keyOf: (id) => ({ id }),
    keyOfRecord: (story) => story.id,
    columnsOf: (story) => ({ project: story.project, status: story.status }),
  });
  const newest = builder.selectFrom('stories').select('doc').orderBy('ordinal', 'desc');
  const all = statement<{ limit: number }, DocumentRow>((param) => newest.limit(param('limit')).compile());
  const ofProject = statement<{ project: string; limit: number }, DocumentRow>((param) =>
    newest.where('project', '=', param('project')).limit(param('limit')).compile(),
  );
  // Literals, not parameters: SQLite uses the partial index only where it can see the condition in the text.
  const moving = statement<object, DocumentRow>(() =>
    builder
      .selectFrom('stories')
      .select('doc')
      .where('status', 'in', [sql.lit('received'), sql.lit('planning'), sql.lit('running')])
      .orderBy('ordinal')
      .compile(),
  );
  return (session) => ({
    get: (id) => table.get(session, id),
    insert: (story) => table.insert(session, story),
    save: (story) => table.save(session, story),
    list: ({ project, limit }) =>
      readDocuments(session.rows(project === undefined ? all({ limit }) : ofProject({ project, limit }))),
    listMoving: () => readDocuments(session.rows(moving({}))),
  });
}
