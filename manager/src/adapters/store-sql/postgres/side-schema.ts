import { CompiledQuery } from 'kysely';
import type { OpenDatabase } from '../open-database.ts';

/** Where tables are made before they count. Whatever is in it was left by one that was killed. */
const SIDE_SCHEMA = 'dbox_restoring';

/** Tables made beside those of a Postgres store, which then take their place in one step. */
export interface SideSchema {
  /**
   * One transaction: what was there goes into a schema of its own, whole, and the new tables come where
   * it was. Returns that schema's name; null where there was nothing.
   */
  swapIn(stamp: string): Promise<string | null>;
  drop(): Promise<void>;
}

/** From here on the database's own names lead to the side schema. */
export async function openSideSchema(database: OpenDatabase): Promise<SideSchema> {
  const run = async (text: string) =>
    (await database.connection.executeQuery<{ name: string }>(CompiledQuery.raw(text))).rows;
  const [own] = await run('select current_schema() as name');
  if (own === undefined || own.name === null) {
    throw new Error('the database has no schema that this user can make tables in');
  }
  const back = `set search_path = ${quoted(own.name)}`;
  const drop = `drop schema if exists ${SIDE_SCHEMA} cascade`;
  await run(drop);
  await run(`create schema ${SIDE_SCHEMA}`);
  await run(`set search_path = ${SIDE_SCHEMA}`);
  return {
    async swapIn(stamp) {
      const made = await tablesIn(run, SIDE_SCHEMA);
      await run(back);
      const before = await tablesIn(run, own.name);
      const former = await freeName(run, `dbox_former_${stamp.toLowerCase().replaceAll(/[^a-z0-9]/g, '_')}`);
      await run('begin');
      try {
        if (before.length > 0) await run(`create schema ${former}`);
        for (const table of before) {
          await run(`alter table ${quoted(own.name)}.${quoted(table)} set schema ${former}`);
        }
        for (const table of made) {
          await run(`alter table ${SIDE_SCHEMA}.${quoted(table)} set schema ${quoted(own.name)}`);
        }
        await run(`drop schema ${SIDE_SCHEMA}`);
        await run('commit');
      } catch (error) {
        await run('rollback').catch(() => undefined);
        throw error;
      }
      return before.length > 0 ? former : null;
    },
    async drop() {
      await run(back);
      await run(drop);
    },
  };
}

type Run = (text: string) => Promise<readonly { name: string }[]>;

/** With the migrations' own book, which belongs to them. The schema is the box's alone. */
async function tablesIn(run: Run, schema: string): Promise<string[]> {
  const rows = await run(
    `select table_name as name from information_schema.tables
      where table_schema = '${schema.replaceAll("'", "''")}' and table_type = 'BASE TABLE' order by 1`,
  );
  return rows.map((row) => row.name);
}

async function freeName(run: Run, wanted: string): Promise<string> {
  for (let n = 1; ; n++) {
    const name = n === 1 ? wanted : `${wanted}_${n}`;
    const taken = await run(
      `select schema_name as name from information_schema.schemata where schema_name = '${name}'`,
    );
    if (taken.length === 0) return name;
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
