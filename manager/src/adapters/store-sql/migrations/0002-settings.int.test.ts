import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CompiledQuery } from 'kysely';
import {
  deployPayload,
  environmentRecord,
  jobRecord,
  projectRecord,
  releaseRecord,
} from '../../../ports/testing/store-records.ts';
import { openSqliteStore } from '../index.ts';
import { openSqliteDatabase } from '../sqlite.ts';
import { stillClock } from '../testing/still-clock.ts';
import { initial } from './0001-initial.ts';
import { migrate } from './index.ts';

/** What a person wrote must stay as it is, whatever it looks like. */
const HOSTILE = '"payload":{"kind":"deploy", {"settings":1}';

test('a store of the first schema is opened with its releases, environments and jobs readable', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'dbox-store-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'task.db');
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

  const old = await openSqliteDatabase(path);
  await migrate({ ...old, appliedAt: 'then', migrations: [initial] });
  const insert = (table: string, columns: Record<string, unknown>, doc: object) => {
    const row = { ...columns, version: 1, doc: JSON.stringify(doc) };
    const names = Object.keys(row);
    const sql = `insert into ${table} (${names.join(', ')}) values (${names.map(() => '?').join(', ')})`;
    return old.connection.executeQuery(CompiledQuery.raw(sql, Object.values(row)));
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

  const store = await openSqliteStore({ path, clock: stillClock(), headFile: null });
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
});
