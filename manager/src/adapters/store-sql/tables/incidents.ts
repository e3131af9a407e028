import type { Kysely } from 'kysely';
import type { IncidentRecord } from '../../../ports/records.ts';
import type { StoreTransaction } from '../../../ports/store.ts';
import { type DocumentRow, documentTable, readDocuments } from '../document-table.ts';
import type { Schema } from '../schema.ts';
import type { Session } from '../session.ts';
import { statement } from '../statement.ts';

export function incidentsTable(builder: Kysely<Schema>): (session: Session) => StoreTransaction['incidents'] {
  const table = documentTable<IncidentRecord>({
    builder,
    table: 'incidents',
    keyOf: (id) => ({ id }),
    keyOfRecord: (incident) => incident.id,
    columnsOf: (incident) => ({
      project: incident.project,
      environment: incident.environment,
      status: incident.status,
    }),
  });
  const newest = builder.selectFrom('incidents').select('doc').orderBy('ordinal', 'desc');
  const all = statement<{ limit: number }, DocumentRow>((param) => newest.limit(param('limit')).compile());
  const ofProject = statement<{ project: string; limit: number }, DocumentRow>((param) =>
    newest.where('project', '=', param('project')).limit(param('limit')).compile(),
  );
  const openOfEnvironment = statement<{ project: string; environment: string }, DocumentRow>((param) =>
    builder
      .selectFrom('incidents')
      .select('doc')
      .where('project', '=', param('project'))
      .where('environment', '=', param('environment'))
      .where('status', 'not in', ['resolved', 'muted'])
      .orderBy('ordinal')
      .compile(),
  );
  return (session) => ({
    get: (id) => table.get(session, id),
    insert: (incident) => table.insert(session, incident),
    save: (incident) => table.save(session, incident),
    list: ({ project, limit }) =>
      readDocuments(session.rows(project === undefined ? all({ limit }) : ofProject({ project, limit }))),
    listOpenOfEnvironment: ({ project, environment }) =>
      readDocuments(session.rows(openOfEnvironment({ project, environment }))),
  });
}
