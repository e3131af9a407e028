import assert from 'node:assert/strict';
import { createReadStream, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { readArchive } from '@dbox/archive';
import { clock, GIT_PATH, newWorkspace, restoreFrom } from './adapters/backup/testing/boxes.ts';
import { MIGRATIONS, migrate } from './adapters/store-sql/migrations/index.ts';
import { nodeSqliteDialect, SQLITE_FLAVOR } from './adapters/store-sql/sqlite-dialect.ts';
import { openStore } from './open-store.ts';

/** A workspace whose store an earlier version left, with a row in it. */
async function earlierBox(t: TestContext): Promise<string> {
  const workspace = newWorkspace(t);
  const database = new DatabaseSync(join(workspace, 'task.db'));
  const driver = nodeSqliteDialect(database).createDriver();
  await driver.init();
  const connection = await driver.acquireConnection();
  const migrations = MIGRATIONS.slice(0, 1);
  await migrate({ connection, flavor: SQLITE_FLAVOR, appliedAt: 'then', migrations });
  database.exec(`insert into idempotency (key, created_at, version, doc) values ('k', '2026', 1, '{}')`);
  database.close();
  return workspace;
}

function open(workspace: string) {
  const config = { workspace, store: null, path: GIT_PATH };
  const headFile = join(workspace, 'ledger.head');
  return openStore({ config, clock, headFile, version: '0.2.0', data: 'included', log: () => {} });
}

test('a store of an earlier schema is backed up before it is brought to the present one', async (t) => {
  const workspace = await earlierBox(t);
  const store = await open(workspace);
  await store.close();
  const [name, ...more] = readdirSync(join(workspace, 'backups'));
  assert.deepEqual(more, []);
  assert.match(name!, /^before-0002-settings-.*\.tar$/);
  const path = join(workspace, 'backups', name!);
  const { schema, counts } = await readArchive(createReadStream(path));
  assert.deepEqual(schema, ['0001-initial']);
  assert.equal(counts.tables.idempotency, 1);
  await (await open(workspace)).close();
  assert.equal(readdirSync(join(workspace, 'backups')).length, 1, 'no migration, no backup');

  // It restores under the schema it was made with, and is migrated once more when a box opens it.
  const elsewhere = newWorkspace(t);
  await restoreFrom(createReadStream(path), elsewhere);
  const again = await open(elsewhere);
  assert.ok(await again.read((reader) => reader.idempotency.get('k')));
  await again.close();
  assert.equal(readdirSync(join(elsewhere, 'backups')).length, 1);
});

test('what cannot be backed up is not migrated', async (t) => {
  const workspace = await earlierBox(t);
  writeFileSync(join(workspace, 'backups'), 'in the way');
  await assert.rejects(open(workspace), /EEXIST|ENOTDIR/);
  const database = new DatabaseSync(join(workspace, 'task.db'));
  t.after(() => database.close());
  const applied = database.prepare('select name from applied_migrations').all();
  assert.equal(applied.length, 1);
});

test('an empty store beside a ledger that has come further is refused, and nothing is written down', async (t) => {
  const workspace = newWorkspace(t);
  const headFile = join(workspace, 'ledger.head');
  const head = `${JSON.stringify({ seq: 41, hash: 'f'.repeat(64) })}\n`;
  writeFileSync(headFile, head);
  await assert.rejects(open(workspace), /is empty, but the box .* has come to event 41 .*DBOX_STORE/);
  assert.equal(readFileSync(headFile, 'utf8'), head);
  rmSync(headFile);
  await (await open(workspace)).close();
});
