import { CompiledQuery, type DatabaseConnection } from 'kysely';
import type { SqlFlavor } from '../sql-flavor.ts';
import { initial } from './0001-initial.ts';
import { settings } from './0002-settings.ts';
import type { Migration } from './migration.ts';

export const MIGRATIONS: readonly Migration[] = [initial, settings];

/** The file was written by a newer version of the box, whose rules this one does not know. */
export class StoreTooNewError extends Error {
  override readonly name = 'StoreTooNewError';
  readonly unknown: readonly string[];
  constructor(unknown: readonly string[]) {
    super(
      `This task store was written by a newer version (it knows ${unknown.join(', ')}). Start that version, or another workspace.`,
    );
    this.unknown = unknown;
  }
}

/** A store that holds something and is about to be changed. */
export interface PendingMigration {
  readonly applied: readonly string[];
  readonly missing: readonly string[];
  readonly connection: DatabaseConnection;
  readonly flavor: SqlFlavor;
}

/** The chance to keep what is there. When it fails, nothing is migrated and the store does not open. */
export type BeforeMigrate = (pending: PendingMigration) => Promise<void>;

/** Applies what is missing, each migration in a transaction of its own; returns the names applied now. */
export async function migrate(o: {
  connection: DatabaseConnection;
  flavor: SqlFlavor;
  appliedAt: string;
  migrations?: readonly Migration[];
  /** Called only where earlier migrations were applied: an empty store has nothing to keep. */
  beforeMigrate?: BeforeMigrate | undefined;
}): Promise<string[]> {
  const { connection, flavor } = o;
  const run = (sql: string, parameters: unknown[] = []) =>
    connection.executeQuery<{ name: string }>(CompiledQuery.raw(sql, parameters));
  await run(
    `create table if not exists applied_migrations (name text primary key, applied_at text not null) ${flavor.tableOptions}`,
  );
  const applied = new Set((await run('select name from applied_migrations')).rows.map((row) => row.name));
  const migrations = o.migrations ?? MIGRATIONS;
  const unknown = [...applied].filter((name) => !migrations.some((migration) => migration.name === name));
  if (unknown.length > 0) throw new StoreTooNewError(unknown);

  const missing = migrations.filter((migration) => !applied.has(migration.name));
  if (missing.length > 0 && applied.size > 0) {
    const names = missing.map((migration) => migration.name);
    await o.beforeMigrate?.({ applied: [...applied], missing: names, connection, flavor });
  }
  for (const migration of missing) {
    await run(flavor.begin);
    try {
      for (const statement of migration.statements(flavor)) await run(statement);
      await run(
        `insert into applied_migrations (name, applied_at) values (${flavor.parameter(1)}, ${flavor.parameter(2)})`,
        [migration.name, o.appliedAt],
      );
      await run('commit');
    } catch (error) {
      await run('rollback').catch(() => undefined);
      throw new Error(`migration ${migration.name} failed: ${String(error)}`, { cause: error });
    }
  }
  return missing.map((migration) => migration.name);
}
