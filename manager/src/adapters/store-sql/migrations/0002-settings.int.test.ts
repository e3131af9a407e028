import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { CompiledQuery } from 'kysely';
import type { Store } from '../../../ports/store.ts';
import {
  deployPayload,
  environmentRecord,
  jobRecord,
  projectRecord,
  releaseRecord,
} from '../../../ports/testing/store-records.ts';
import { openSqliteStore } from '../index.ts';
import { POSTGRES_FLAVOR } from '../postgres/flavor.ts';
import { openPostgresStore } from '../postgres/open.ts';
import type { SqlFlavor } from '../sql-flavor.ts';
import { openSqliteDatabase } from '../sqlite.ts';
import { startPostgresServer } from '../testing/postgres-server.ts';
import { stillClock } from '../testing/still-clock.ts';
import { initial } from './0001-initial.ts';

const { server, skip } = await startPostgresServer();

/** An empty database as a box before this migration had it. */
interface Place {
  readonly flavor: SqlFlavor;
  /** Parameters are `?`. */
  execute(sql: string, values?: readonly unknown[]): Promise<unknown>;
  /** Ends `execute`, and opens it as this box does. */
  open(): Promise<Store>;
}

/** What a person wrote must stay as it is, whatever it looks like. */
const HOSTILE = '"payload":{"kind":"deploy", {"settings":1}';

async function fillAsBefore(place: Place) {
  const release = releaseRecord({ reason: HOSTILE });
  const environment = environmentRecord();
  const failed = { kind: 'deploy', outcome: 'failed', cause: 'host', phase: 'building' } as const;
  const deploy = jobRecord({
    id: 'job_deploy',
    kind: 'deploy',
    payload: deployPayload({ checks: [] }),
    result: { ...failed, detail: HOSTILE, checks: [], outputTail: '' },
  });
  const code = jobRecord({ id: 'job_code' });

  await place.execute('create table applied_migrations (name text primary key, applied_at text not null)');
  for (const statement of initial.statements(place.flavor)) await place.execute(statement);
  const insert = (table: string, columns: Record<string, unknown>, doc: object) => {
    const row = { ...columns, version: 1, doc: JSON.stringify(doc) };
    const names = Object.keys(row);
    const sql = `insert into ${table} (${names.join(', ')}) values (${names.map(() => '?').join(', ')})`;
    return place.execute(sql, Object.values(row));
  };
  await place.execute('insert into applied_migrations (name, applied_at) values (?, ?)', [
    initial.name,
    'then',
  ]);
  const project = projectRecord();
  await insert('projects', { name: project.name, removed_at: null }, project);
  const { settings: _, ...oldEnvironment } = environment;
  await insert('environments', { project: 'blog', name: 'dev' }, oldEnvironment);
  const { settingsVersion: __, image: ___, ...oldRelease } = release;
  const { id, status } = release;
  await insert('releases', { id, project: 'blog', environment: release.environment, status }, oldRelease);
  for (const job of [deploy, code]) {
    const payload: Record<string, unknown> = { ...job.payload };
    delete payload.settingsVersion;
    delete payload.image;
    const { kind, priority, fence } = job;
    const columns = { id: job.id, kind, project: 'blog', status: job.status, priority, fence };
    await insert('jobs', columns, { ...job, payload });
  }
  return { release, environment, deploy, code };
}

async function mustReadAll(t: TestContext, place: Place): Promise<void> {
  const { release, environment, deploy, code } = await fillAsBefore(place);
  const store = await place.open();
  t.after(() => store.close());
  await store.read(async (reader) => {
    assert.deepEqual(await reader.environments.list(), [environment]);
    assert.deepEqual(await reader.releases.get(release.id), release);
    assert.deepEqual(await reader.jobs.get('job_deploy'), deploy);
    assert.deepEqual(await reader.jobs.get('job_code'), code);
    assert.deepEqual(await reader.settings.listOfEnvironment({ project: 'blog', environment: 'dev' }), []);
  });
  const saved = await store.transact(async (tx) => tx.releases.save((await tx.releases.get(release.id))!));
  assert.equal(saved.version, 2);
}

test('a store of the first schema on SQLite is opened with all its records readable', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'dbox-store-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'task.db');
  const { connection, flavor, close } = await openSqliteDatabase(path);
  await mustReadAll(t, {
    flavor,
    execute: (sql, values = []) => connection.executeQuery(CompiledQuery.raw(sql, [...values])),
    async open() {
      await close();
      return openSqliteStore({ path, clock: stillClock(), headFile: null });
    },
  });
});

test('a store of the first schema on Postgres is opened with all its records readable', {
  skip,
}, async (t) => {
  const address = await server!.makeDatabase();
  await mustReadAll(t, {
    flavor: POSTGRES_FLAVOR,
    execute(sql, values = []) {
      let count = 0;
      return server!.query(
        sql.replaceAll('?', () => `$${++count}`),
        [...values],
        address,
      );
    },
    open: () => openPostgresStore({ address, clock: stillClock(), headFile: null }),
  });
});
