import type { Kysely } from 'kysely';
import type { SettingsKey, SettingsRecord } from '../../../ports/records.ts';
import type { StoreTransaction } from '../../../ports/store.ts';
import { type DocumentRow, documentTable, readDocuments } from '../document-table.ts';
import type { Schema } from '../schema.ts';
import type { Session } from '../session.ts';
import { statement } from '../statement.ts';

export function settingsTable(builder: Kysely<Schema>): (session: Session) => StoreTransaction['settings'] {
  const keyOf = ({ project, environment, number }: SettingsKey) => ({ project, environment, number });
  const table = documentTable<SettingsRecord, SettingsKey>({
    builder,
    table: 'settings',
    keyOf,
    keyOfRecord: keyOf,
    columnsOf: () => ({}),
  });
  const ofEnvironment = statement<{ project: string; environment: string }, DocumentRow>((param) =>
    builder
      .selectFrom('settings')
      .select('doc')
      .where('project', '=', param('project'))
      .where('environment', '=', param('environment'))
      .orderBy('number')
      .compile(),
  );
  const removal = statement<SettingsKey, unknown>((param) =>
    builder
      .deleteFrom('settings')
      .where('project', '=', param('project'))
      .where('environment', '=', param('environment'))
      .where('number', '=', param('number'))
      .compile(),
  );
  return (session) => ({
    get: (key) => table.get(session, key),
    insert: (settings) => table.insert(session, settings),
    save: (settings) => table.save(session, settings),
    listOfEnvironment: ({ project, environment }) =>
      readDocuments(session.rows(ofEnvironment({ project, environment }))),
    async remove(key) {
      await session.write(removal(keyOf(key)));
    },
  });
}
