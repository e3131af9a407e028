import assert from 'node:assert/strict';
import { createReadStream, existsSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { readArchive } from '@dbox/archive';
import { ConfigError } from '../../config-error.ts';
import { openStore } from '../../open-store.ts';
import { labelOf, type PostgresAddress, verifyLedger } from '../store-sql/index.ts';
import { type PostgresServer, startPostgresServer } from '../store-sql/testing/postgres-server.ts';
import { moveStore } from './index.ts';
import { archiveOf, clock, GIT_PATH, newWorkspace, openBoxStore, restoreFrom } from './testing/boxes.ts';
import { fillBox, tablesOf } from './testing/filled-box.ts';

const { server, skip } = await startPostgresServer();

function boxAt(workspace: string, store: PostgresAddress | null) {
  return { workspace, store, clock, gitPath: GIT_PATH, boxVersion: '0.1.0', data: 'included' as const };
}

/** As the manager opens it. */
function open(workspace: string, store: PostgresAddress | null) {
  const headFile = join(workspace, 'ledger.head');
  const config = { workspace, store, path: GIT_PATH };
  return openStore({ config, clock, headFile, version: '0.1.0', data: 'included', log: () => {} });
}

async function filledWorkspace(t: TestContext) {
  const workspace = newWorkspace(t);
  const store = await openBoxStore(workspace);
  const { deliver } = await fillBox(t, workspace, store);
  const snapshot = await store.snapshot();
  const tables = await tablesOf(snapshot);
  await snapshot.close();
  await store.close();
  return { workspace, tables, deliver };
}

async function databaseOf(t: TestContext, on: PostgresServer) {
  const address = await on.makeDatabase();
  t.after(() => on.dropDatabase(address));
  return address;
}

const steps: string[] = [];
const onStep = (step: string) => void steps.push(step);

describe('with a real server', { skip }, () => {
  test('a store moves to Postgres with all of its rows, goes on there, and moves back', async (t) => {
    const { workspace, tables } = await filledWorkspace(t);
    const address = await databaseOf(t, server!);
    const moved = await moveStore(boxAt(workspace, null), { to: address, onStep });
    assert.deepEqual(
      [moved.from, moved.to, moved.ledger.seq, moved.address],
      ['sqlite', 'postgres', 3, labelOf(address)],
    );
    assert.equal((await readArchive(createReadStream(moved.backup))).ledger.seq, 3);
    assert.deepEqual(
      readdirSync(workspace)
        .filter((name) => name.startsWith('task.db'))
        .map((name) => name.slice(0, 17)),
      ['task.db.migrated-'],
    );
    await assert.rejects(open(workspace, null), (error) => {
      assert.ok(error instanceof ConfigError);
      return error.message.includes(`DBOX_STORE=${labelOf(address)}`);
    });

    const store = await open(workspace, address);
    const snapshot = await store.snapshot();
    assert.deepEqual(await tablesOf(snapshot), tables);
    await snapshot.close();
    await store.transact(async (tx) => {
      await tx.events.append({ at: '', actor: 'system', type: 'box.moved', subject: 'box', data: {} });
      await tx.agents.insert({ id: 'agt_0000000001', name: 'a', version: 1, agent: {} as never });
    });
    const report = await verifyLedger(store, { headFile: null });
    assert.equal(report.ok, true);
    await assert.rejects(moveStore(boxAt(workspace, address), { to: null, onStep }), /holds the task store/);
    await store.close();

    const back = await moveStore(boxAt(workspace, address), { to: null, onStep });
    assert.equal(back.ledger.seq, report.headSeq);
    await assert.rejects(open(workspace, address), /has its store in .*task\.db/);
    const again = await open(workspace, null);
    assert.deepEqual(
      (await verifyLedger(again, { headFile: join(workspace, 'ledger.head') })).headHash,
      report.headHash,
    );
    await again.close();
  });

  test('a move that was killed before its last step is made again; a foreign database is refused', async (t) => {
    const { workspace } = await filledWorkspace(t);
    const address = await databaseOf(t, server!);
    await moveStore(boxAt(workspace, null), { to: address, onStep });
    // As if killed before the workspace was told: the copy is there, the file is still the box's.
    const file = readdirSync(workspace).find((name) => name.startsWith('task.db.migrated-'))!;
    renameSync(join(workspace, file), join(workspace, 'task.db'));
    renameSync(join(workspace, 'store.json'), join(workspace, 'gone.json'));
    const store = await open(workspace, null);
    await store.transact((tx) =>
      tx.events.append({ at: '', actor: 'a', type: 'x.y', subject: 'box', data: {} }),
    );
    await store.close();
    const again = await moveStore(boxAt(workspace, null), { to: address, onStep });
    assert.equal(again.ledger.seq, 4);
    assert.match(again.former[0]!, /schema dbox_former_/);

    const other = await filledWorkspace(t);
    await assert.rejects(
      moveStore(boxAt(other.workspace, null), { to: address, onStep }),
      /holds something else already/,
    );
    assert.ok(existsSync(join(other.workspace, 'task.db')));
    await (await open(other.workspace, null)).close();
  });

  test('a backup of SQLite restores into Postgres, and again over it with what was there put aside', async (t) => {
    const archive = await archiveOf(t);
    const workspace = newWorkspace(t);
    const address = await databaseOf(t, server!);
    const { manifest } = await restoreFrom(archive, workspace, { store: address });
    assert.equal(existsSync(join(workspace, 'task.db')), false);
    await assert.rejects(open(workspace, null), /has its store in Postgres/);
    const store = await open(workspace, address);
    const report = await verifyLedger(store, { headFile: join(workspace, 'ledger.head') });
    assert.deepEqual([report.ok, report.headHash], [true, manifest.ledger.hash]);
    await store.transact((tx) =>
      tx.events.append({ at: '', actor: 'a', type: 'x.y', subject: 'box', data: {} }),
    );
    await assert.rejects(
      restoreFrom(archive, workspace, { store: address, force: true }),
      /holds the task store/,
    );
    await store.close();

    const fresh = newWorkspace(t);
    await assert.rejects(
      restoreFrom(archive, fresh, { store: address }),
      /the database that DBOX_STORE names holds a box already/,
    );
    const damaged = Buffer.from(archive);
    damaged[archive.indexOf('story.delivered') + 2]! ^= 1;
    await assert.rejects(restoreFrom(damaged, workspace, { store: address, force: true }), /is damaged/);
    const kept = await open(workspace, address);
    assert.equal((await kept.read((reader) => reader.events.head()))!.seq, 4);
    await kept.close();

    const { former } = await restoreFrom(archive, workspace, { store: address, force: true });
    assert.match(former[0]!, /^schema dbox_former_\S+ of the database$/);
    const again = await open(workspace, address);
    assert.equal((await again.read((reader) => reader.events.head()))!.seq, 3);
    await again.close();
    const schema = /dbox_former_\S+/.exec(former[0]!)![0];
    const [row] = await server!.query(`select count(*)::int as events from ${schema}.events`, [], address);
    assert.equal(row!.events, 4);
    assert.deepEqual(
      await server!.query(
        `select 1 from information_schema.schemata where schema_name = 'dbox_restoring'`,
        [],
        address,
      ),
      [],
    );
  });
});

test('a box does not start on an empty Postgres beside its own file', async (t) => {
  const { workspace } = await filledWorkspace(t);
  const elsewhere: PostgresAddress = {
    ...{ host: '127.0.0.1', port: 1, database: 'dbox', user: 'dbox' },
    ...{ password: { kind: 'none' }, tls: 'disable', rootCertificateFile: null },
  };
  await assert.rejects(open(workspace, elsewhere), /has its store in .*task\.db: unset DBOX_STORE, or move/);
});
