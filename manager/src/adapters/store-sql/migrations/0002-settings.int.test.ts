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
import { openPostgresStore, openSqliteStore } from '../index.ts';
import type { OpenDatabase } from '../open-database.ts';
import { PostgresLink } from '../postgres/link.ts';
import { openSqliteDatabase } from '../sqlite.ts';
import { startPostgresServer } from '../testing/postgres-server.ts';
import { stillClock } from '../testing/still-clock.ts';
import { initial } from './0001-initial.ts';
import { migrate, StoreTooNewError } from './index.ts';
import type { Migration } from './migration.ts';

/** What a person wrote must stay as it is, whatever it looks like. */
const HOSTILE = '"payload":{"kind":"deploy", {"settings":1}';

const { server, skip } = await startPostgresServer();

/** An empty database, and the store that is opened on it later. */
interface Place {
  readonly old: OpenDatabase;
  openStore(): Promise<Store>;
}

async function sqlitePlace(t: TestContext): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'dbox-store-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'task.db');
  return {
    old: await openSqliteDatabase(path),
    openStore: () => openSqliteStore({ path, clock: stillClock(), headFile: null }),
  };
}

async function postgresPlace(t: TestContext): Promise<Place> {
  const address = await server!.makeDatabase();
  t.after(() => server!.dropDatabase(address));
  const old = new PostgresLink({ address, clock: stillClock(), log: () => {} });
  await old.open();
  return { old, openStore: () => openPostgresStore({ address, clock: stillClock(), headFile: null }) };
}

for (const [name, makePlace, reason] of [
  ['SQLite', sqlitePlace, false],
  ['Postgres', postgresPlace, skip],
] as const) {
  test(`a store of the first schema on ${name} is opened with its releases, environments and jobs readable`, {
    skip: reason,
  }, async (t) => {
    await migrateFirstSchema(t, await makePlace(t));
  });

  test(`what fails on ${name} leaves nothing of itself, and a newer schema is refused`, {
    skip: reason,
  }, async (t) => {
    const { old, openStore } = await makePlace(t);
    const { connection, flavor } = old;
    const apply = (migrations: readonly Migration[]) =>
      migrate({ connection, flavor, appliedAt: 'then', migrations });
    const future = { name: '0099-future', statements: () => ['create table later (x text)'] };
    const broken = { ...future, statements: () => ['create table later (x text)', 'create nonsense'] };
    try {
      await assert.rejects(apply([initial, broken]), /0099-future failed/);
      // Made only now: the failed one left no table.
      assert.deepEqual(await apply([initial, future]), ['0099-future']);
    } finally {
      await old.close();
    }
    await assert.rejects(openStore(), StoreTooNewError);
  });
}

async function migrateFirstSchema(t: TestContext, { old, openStore }: Place): Promise<void> {
  const release = releaseRecord({ reason: HOSTILE });
  const environment = environmentRecord();
  const deploy = jobRecord({
    id: 'job_deploy',
    kind: 'deploy',
    payload: deployPayload({ checks: [] }),
    result: {
      kind: 'deploy',
      outcome: 'failed',
      cause: 'host',
      detail: HOSTILE,
      phase: 'building',
      checks: [],
      outputTail: '',
    },
  });
  const code = jobRecord({ id: 'job_code' });

  const { connection, flavor } = old;
  await migrate({ connection, flavor, appliedAt: 'then', migrations: [initial] });
  const insert = (table: string, columns: Record<string, unknown>, doc: object) => {
    const row = { ...columns, version: 1, doc: JSON.stringify(doc) };
    const names = Object.keys(row);
    const sql = `insert into ${table} (${names.join(', ')}) values (${names.map((_, index) => flavor.parameter(index + 1)).join(', ')})`;
    return connection.executeQuery(CompiledQuery.raw(sql, Object.values(row)));
  };
  const project = projectRecord();
  await insert('projects', { name: project.name, removed_at: null }, project);
  const { settings: _, ...oldEnvironment } = environment;
  await insert('environments', { project: 'blog', name: 'dev' }, oldEnvironment);
  const { settingsVersion: __, image: ___, ...oldRelease } = release;
  const { id, environment: lane, status } = release;
  await insert('releases', { id, project: 'blog', environment: lane, status }, oldRelease);
  for (const job of [deploy, code]) {
    const payload: Record<string, unknown> = { ...job.payload };
    delete payload.settingsVersion;
    delete payload.image;
    const { kind, status: jobStatus, priority, fence } = job;
    await insert(
      'jobs',
      { id: job.id, kind, project: 'blog', status: jobStatus, priority, fence },
      { ...job, payload },
    );
  }
  await old.close();

  const store = await openStore();
  t.after(() => store.close());
  await store.read(async (reader) => {
    assert.deepEqual(await reader.environments.list(), [environment]);
    assert.deepEqual(await reader.releases.get(id), release);
    assert.deepEqual(await reader.jobs.get('job_deploy'), deploy);
    assert.deepEqual(await reader.jobs.get('job_code'), code);
    assert.deepEqual(await reader.settings.listOfEnvironment({ project: 'blog', environment: 'dev' }), []);
  });
  const saved = await store.transact(async (tx) => tx.releases.save((await tx.releases.get(id))!));
  assert.equal(saved.version, 2);
}
