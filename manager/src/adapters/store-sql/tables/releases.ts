import type { Kysely } from 'kysely';
import type { ReleaseRecord } from '../../../ports/records.ts';
import type { StoreTransaction } from '../../../ports/store.ts';
import { type DocumentRow, documentTable, readDocuments } from '../document-table.ts';
import type { Schema } from '../schema.ts';
import type { Session } from '../session.ts';
import { statement } from '../statement.ts';

export function releasesTable(builder: Kysely<Schema>): (session: Session) => StoreTransaction['releases'] {
  const table = documentTable<ReleaseRecord>({
    builder,
    table: 'releases',
    keyOf: (id) => ({ id }),
    keyOfRecord: (release) => release.id,
    columnsOf: (release) => ({
      project: release.project,
      environment: release.environment,
      status: release.status,
    }),
  });
  const newest = builder.selectFrom('releases').select('doc').orderBy('ordinal', 'desc');
  const all = statement<{ limit: number }, DocumentRow>((param) => newest.limit(param('limit')).compile());
  const ofProject = statement<{ project: string; limit: number }, DocumentRow>((param) =>
    newest.where('project', '=', param('project')).limit(param('limit')).compile(),
  );
  const ofEnvironment = statement<{ project: string; environment: string }, DocumentRow>((param) =>
    newest.where('project', '=', param('project')).where('environment', '=', param('environment')).compile(),
  );
  const baking = statement<object, DocumentRow>(() =>
    builder.selectFrom('releases').select('doc').where('status', '=', 'baking').orderBy('ordinal').compile(),
  );
  return (session) => ({
    get: (id) => table.get(session, id),
    insert: (release) => table.insert(session, release),
    save: (release) => table.save(session, release),
    list: ({ project, limit }) =>
      readDocuments(session.rows(project === undefined ? all({ limit }) : ofProject({ project, limit }))),
    listOfEnvironment: ({ project, environment }) =>
      readDocuments(session.rows(ofEnvironment({ project, environment }))),
    listBaking: () => readDocuments(session.rows(baking({}))),
  });
}
