import type { Kysely } from 'kysely';
import type { EnvironmentRecord, ProjectRecord } from '../../../ports/records.ts';
import type { StoreTransaction } from '../../../ports/store.ts';
import { type DocumentRow, documentTable, readDocuments } from '../document-table.ts';
import type { Schema } from '../schema.ts';
import type { Session } from '../session.ts';
import { statement } from '../statement.ts';

export function projectsTable(builder: Kysely<Schema>): (session: Session) => StoreTransaction['projects'] {
  const table = documentTable<ProjectRecord>({
    builder,
    table: 'projects',
    keyOf: (name) => ({ name }),
    keyOfRecord: (project) => project.name,
    columnsOf: (project) => ({ removed_at: project.removedAt }),
  });
  const present = statement<object, DocumentRow>(() =>
    builder.selectFrom('projects').select('doc').where('removed_at', 'is', null).orderBy('ordinal').compile(),
  );
  return (session) => ({
    get: (name) => table.get(session, name),
    insert: (project) => table.insert(session, project),
    save: (project) => table.save(session, project),
    list: () => readDocuments(session.rows(present({}))),
  });
}

export function environmentsTable(
  builder: Kysely<Schema>,
): (session: Session) => StoreTransaction['environments'] {
  const table = documentTable<EnvironmentRecord, { project: string; name: string }>({
    builder,
    table: 'environments',
    keyOf: ({ project, name }) => ({ project, name }),
    keyOfRecord: ({ project, name }) => ({ project, name }),
    columnsOf: () => ({}),
  });
  const present = statement<object, DocumentRow>(() =>
    builder
      .selectFrom('environments')
      .innerJoin('projects', 'projects.name', 'environments.project')
      .select('environments.doc')
      .where('projects.removed_at', 'is', null)
      .orderBy('environments.ordinal')
      .compile(),
  );
  return (session) => ({
    get: (key) => table.get(session, key),
    insert: (environment) => table.insert(session, environment),
    save: (environment) => table.save(session, environment),
    list: () => readDocuments(session.rows(present({}))),
  });
}
