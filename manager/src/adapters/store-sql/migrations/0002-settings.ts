import type { Migration } from './migration.ts';

/**
 * Settings, and the digest of what a release was built into. The records are JSON texts that begin
 * with their first key, whichever database keeps them, so their new fields are put in front.
 */
export const settings: Migration = {
  name: '0002-settings',
  statements: (flavor) => [
    `create table settings (
      ordinal ${flavor.columnTypes.ordinal},
      project text not null,
      environment text not null,
      number integer not null,
      version integer not null,
      doc text not null
    ) ${flavor.tableOptions}`,
    'create unique index settings_key on settings (project, environment, number)',
    `update environments set doc =
      '{"settings":{"version":0,"newest":0,"pending":false,"hostRepeats":0,"refused":null},' || substr(doc, 2)`,
    `update releases set doc = '{"settingsVersion":0,"image":null,' || substr(doc, 2)`,
    // Inside of a text every quote is escaped, so this is found where the payload begins and nowhere else.
    `update jobs set doc = replace(
      doc,
      '"payload":{"kind":"deploy",',
      '"payload":{"kind":"deploy","settingsVersion":0,"image":null,'
    ) where kind = 'deploy'`,
  ],
};
