import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { nodeSqliteDialect, SQLITE_FLAVOR } from '../sqlite-dialect.ts';
import { type BeforeMigrate, MIGRATIONS, migrate, StoreTooNewError } from './index.ts';
import type { Migration } from './migration.ts';

async function emptyDatabase(t: TestContext) {
  const database = new DatabaseSync(':memory:');
  t.after(() => database.close());
  const driver = nodeSqliteDialect(database).createDriver();
  await driver.init();
  const connection = await driver.acquireConnection();
  const tables = () =>
    database
      .prepare(`select name from sqlite_schema where type = 'table' order by name`)
      .all()
      .map((row) => row.name);
  const run = (migrations?: readonly Migration[], beforeMigrate?: BeforeMigrate) =>
    migrate({
      connection,
      flavor: SQLITE_FLAVOR,
      appliedAt: 'now',
      beforeMigrate,
      ...(migrations && { migrations }),
    });
  return { run, tables };
}
const make = (name: string, ...statements: string[]): Migration => ({ name, statements: () => statements });

test('an empty database gets every table, and a second start changes nothing', async (t) => {
  const { run, tables } = await emptyDatabase(t);
  assert.deepEqual(
    await run(),
    MIGRATIONS.map((migration) => migration.name),
  );
  const made = tables();
  assert.ok(made.includes('jobs') && made.includes('events') && made.includes('applied_migrations'));
  assert.deepEqual(await run(), []);
  assert.deepEqual(tables(), made);
});

test('only what is missing is applied, in order', async (t) => {
  const { run, tables } = await emptyDatabase(t);
  const first = make('0001', 'create table a (x text)');
  await run([first]);
  const rest = [make('0002', 'create table b (x text)'), make('0003', 'alter table b rename to c')];
  assert.deepEqual(await run([first, ...rest]), ['0002', '0003']);
  assert.deepEqual(tables(), ['a', 'applied_migrations', 'c']);
});

test('a migration that fails leaves nothing of itself and can be tried again', async (t) => {
  const { run, tables } = await emptyDatabase(t);
  await assert.rejects(run([make('0001', 'create table a (x text)', 'create nonsense')]), /0001 failed/);
  assert.deepEqual(tables(), ['applied_migrations']);
  assert.deepEqual(await run([make('0001', 'create table a (x text)')]), ['0001']);
});

test('a store written by a newer version is refused by name', async (t) => {
  const { run } = await emptyDatabase(t);
  await run([make('0001'), make('0099-future')]);
  await assert.rejects(run([make('0001')]), (error) => {
    assert.ok(error instanceof StoreTooNewError);
    assert.deepEqual(error.unknown, ['0099-future']);
    return true;
  });
});

test('what is there can be kept before it is changed; an empty store and an up-to-date one ask for nothing', async (t) => {
  const { run, tables } = await emptyDatabase(t);
  const asked: string[][] = [];
  const keep: BeforeMigrate = async ({ applied, missing }) => {
    asked.push([...applied, '|', ...missing]);
    assert.ok(!tables().includes('b'), 'it is asked before the change');
  };
  const first = make('0001', 'create table a (x text)');
  await run([first], keep);
  await run([first], keep);
  assert.deepEqual(asked, []);
  await run([first, make('0002', 'create table b (x text)')], keep);
  assert.deepEqual(asked, [['0001', '|', '0002']]);
});

test('where what is there cannot be kept, nothing is changed', async (t) => {
  const { run, tables } = await emptyDatabase(t);
  const first = make('0001', 'create table a (x text)');
  await run([first]);
  const second = make('0002', 'create table b (x text)');
  await assert.rejects(
    run([first, second], () => Promise.reject(new Error('no space'))),
    /no space/,
  );
  assert.deepEqual(tables(), ['a', 'applied_migrations']);
});
