import type { Kysely } from 'kysely';
import type { TaskRecord } from '../../../ports/records.ts';
import type { StoreTransaction } from '../../../ports/store.ts';
import { type DocumentRow, documentTable, readDocuments } from '../document-table.ts';
import type { Schema } from '../schema.ts';
import type { Session } from '../session.ts';
import { statement } from '../statement.ts';

export function tasksTable(builder: Kysely<Schema>): (session: Session) => StoreTransaction['tasks'] {
  const table = documentTable<TaskRecord>({
    builder,
    table: 'tasks',
    keyOf: (id) => ({ id }),
    keyOfRecord: (task) => task.id,
    columnsOf: (task) => ({
      story_id: task.storyId,
      project: task.project,
      status: task.status,
      integration: task.integration,
      integration_order: task.integrationOrder,
    }),
  });
  const documents = builder.selectFrom('tasks').select('doc');
  const newest = documents.orderBy('ordinal', 'desc');
  const oldest = documents.orderBy('ordinal');
  const all = statement<{ limit: number }, DocumentRow>((param) => newest.limit(param('limit')).compile());
  const listOfProject = statement<{ project: string; limit: number }, DocumentRow>((param) =>
    newest.where('project', '=', param('project')).limit(param('limit')).compile(),
  );
  const listOfStory = statement<{ storyId: string; limit: number }, DocumentRow>((param) =>
    newest.where('story_id', '=', param('storyId')).limit(param('limit')).compile(),
  );
  const listOfBoth = statement<{ storyId: string; project: string; limit: number }, DocumentRow>((param) =>
    newest
      .where('story_id', '=', param('storyId'))
      .where('project', '=', param('project'))
      .limit(param('limit'))
      .compile(),
  );
  const ofStory = statement<{ storyId: string }, DocumentRow>((param) =>
    oldest.where('story_id', '=', param('storyId')).compile(),
  );
  const ofProject = statement<{ project: string }, DocumentRow>((param) =>
    oldest.where('project', '=', param('project')).compile(),
  );
  const waiting = statement<object, DocumentRow>(() =>
    documents.where('integration', '=', 'waiting').orderBy('integration_order').orderBy('ordinal').compile(),
  );
  const created = statement<object, DocumentRow>(() => oldest.where('status', '=', 'created').compile());

  const listing = ({ project, storyId, limit }: Parameters<StoreTransaction['tasks']['list']>[0]) => {
    if (storyId !== undefined && project !== undefined) return listOfBoth({ storyId, project, limit });
    if (storyId !== undefined) return listOfStory({ storyId, limit });
    return project === undefined ? all({ limit }) : listOfProject({ project, limit });
  };
  return (session) => ({
    get: (id) => table.get(session, id),
    insert: (task) => table.insert(session, task),
    save: (task) => table.save(session, task),
    list: (query) => readDocuments(session.rows(listing(query))),
    listOfStory: (storyId) => readDocuments(session.rows(ofStory({ storyId }))),
    listOfProject: (project) => readDocuments(session.rows(ofProject({ project }))),
    listWaiting: () => readDocuments(session.rows(waiting({}))),
    listCreated: () => readDocuments(session.rows(created({}))),
  });
}
