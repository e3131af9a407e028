import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { ArchiveRefusedError, readArchive } from '@dbox/archive';
import { runPlainGit } from '../repositories-git/testing/scratch-repository.ts';
import { verifyLedger } from '../store-sql/index.ts';
import { requireFinishedRestore, WorkspaceStateError } from './index.ts';
import { archiveOf, newWorkspace, openBoxStore, restoreFrom, runningBox } from './testing/boxes.ts';
import { fillBox, tablesOf } from './testing/filled-box.ts';

const KILLED = join(import.meta.dirname, 'testing', 'killed-restore.ts');

function refsOf(workspace: string, place: string): string {
  return runPlainGit(join(workspace, `${place}.git`), ['for-each-ref', '--format=%(objectname) %(refname)']);
}

/** What lies there besides the lock of restores. */
function leftIn(workspace: string): string[] {
  return readdirSync(workspace).filter((name) => !name.startsWith('.restore.lock'));
}

test('a backup taken under load restores to an equal box, which goes on', async (t) => {
  const box = await runningBox(t);
  let writing = true;
  const load = (async () => {
    for (let n = 0; writing; n++) await box.deliver(n % 2 ? 'blog' : 'shop');
  })();
  const before = (await box.store.read((reader) => reader.events.head()))!.seq;
  const archive = await buffer(await box.desk.open());
  writing = false;
  await load;
  const after = (await box.store.read((reader) => reader.events.head()))!.seq;

  const workspace = newWorkspace(t);
  const report = await restoreFrom(archive, workspace);
  assert.deepEqual([report.warnings, report.former], [[], []]);
  const { seq } = report.manifest.ledger;
  assert.ok(seq >= before && seq <= after, `event ${seq} of ${before} to ${after}`);

  const store = await openBoxStore(workspace);
  t.after(() => store.close());
  const headFile = join(workspace, 'ledger.head');
  assert.deepEqual(await verifyLedger(store, { headFile }), {
    ...{ ok: true, problem: null, count: seq, headSeq: seq },
    headHash: report.manifest.ledger.hash,
  });
  const snapshot = await store.snapshot();
  const restored = await tablesOf(snapshot);
  await snapshot.close();
  const source = await box.store.snapshot();
  const original = await tablesOf(source);
  await source.close();
  for (const table of ['events', 'stories', 'tasks', 'releases', 'artifacts']) {
    assert.deepEqual(restored[table], original[table]!.slice(0, restored[table]!.length), table);
  }
  assert.equal(restored.events!.length, seq);
  assert.equal(Number(restored.topology![0]!.revision), 100_000 + seq);
  for (const { doc } of restored.artifacts!) {
    const { id, taskId, name } = JSON.parse(String(doc));
    const path = join('tasks', taskId, 'artifacts', `${id}-${name}`);
    assert.deepEqual(await readFile(join(workspace, path)), await readFile(join(box.workspace, path)));
  }
  for (const { doc } of restored.stories!) {
    assert.ok(existsSync(join(workspace, 'stories', JSON.parse(String(doc)).id, 'attachments')));
  }
  // What came later may be in a repository too: it is only ever added to.
  const later = new Set(refsOf(box.workspace, 'projects/blog').split('\n'));
  for (const ref of refsOf(workspace, 'projects/blog').split('\n')) assert.ok(later.has(ref), ref);
  const gone = 'removed/gone-2026-01-02T00-00-00-000Z';
  assert.equal(refsOf(workspace, gone), refsOf(box.workspace, gone));
  assert.equal(box.holds(), 0);
});

test('data, its names and modes, and the secrets of the box come back; those of one life or machine do not', async (t) => {
  const box = await runningBox(t);
  const workspace = newWorkspace(t);
  mkdirSync(join(workspace, 'secrets'));
  writeFileSync(join(workspace, 'secrets', 'database.password'), 'of this machine');
  writeFileSync(join(workspace, 'secrets', 'admin.token'), 'of this machine');
  const { former } = await restoreFrom(await box.desk.open(), workspace);
  const data = join('data', 'blog', 'dev');
  for (const name of ['uploads/ünï code\n.txt', 'large.bin', 'run.sh']) {
    const [copy, original] = [join(workspace, data, name), join(box.workspace, data, name)];
    assert.deepEqual(readFileSync(copy), readFileSync(original), name);
    assert.equal(statSync(copy).mode, statSync(original).mode, name);
    assert.equal(Math.floor(statSync(copy).mtimeMs / 1000), Math.floor(statSync(original).mtimeMs / 1000));
  }
  const secret = (name: string) => readFileSync(join(workspace, 'secrets', name), 'utf8');
  assert.equal(secret('admin.token'), `admin.token of ${box.workspace}\n`);
  assert.equal(secret('env.key'), `env.key of ${box.workspace}\n`);
  assert.equal(statSync(join(workspace, 'secrets', 'env.key')).mode & 0o777, 0o600);
  assert.equal(secret('database.password'), 'of this machine');
  assert.equal(existsSync(join(workspace, 'secrets', 'job.key')), false);
  assert.equal(readFileSync(join(former[0]!, 'secrets', 'admin.token'), 'utf8'), 'of this machine');
});

test('an archive that is cut or damaged leaves an empty workspace empty', async (t) => {
  const archive = await archiveOf(t);
  const workspace = newWorkspace(t);
  const damaged = Buffer.from(archive);
  damaged[archive.indexOf('artifact 1') + 3]! ^= 1;
  for (const [bytes, says] of [
    [archive.subarray(0, archive.length / 2), /breaks off/],
    [damaged, /is damaged: the content of tasks\/task-1\/artifacts/],
    [Buffer.from('hello'), /breaks off/],
  ] as const) {
    await assert.rejects(restoreFrom(bytes, workspace), (error) => {
      assert.ok(error instanceof ArchiveRefusedError, String(error));
      assert.match(error.message, says);
      return true;
    });
    assert.deepEqual(leftIn(workspace), []);
  }
  await restoreFrom(archive, workspace);
});

test('a box that is there is refused, or with force put aside whole', async (t) => {
  const archive = await archiveOf(t);
  const workspace = newWorkspace(t);
  const store = await openBoxStore(workspace);
  await fillBox(t, workspace, store);
  await assert.rejects(restoreFrom(archive, workspace), /a box is running on this workspace/);
  await assert.rejects(restoreFrom(archive, workspace, { force: true }), /a box is running/);
  await store.close();
  const before = leftIn(workspace);
  await assert.rejects(restoreFrom(archive, workspace), (error) => {
    assert.ok(error instanceof WorkspaceStateError);
    return /holds a box already.*--force/.test(error.message);
  });
  assert.deepEqual(leftIn(workspace), before);
  writeFileSync(join(workspace, 'mine.txt'), 'not of the box');
  const { former } = await restoreFrom(archive, workspace, { force: true });
  assert.deepEqual(readdirSync(former[0]!).sort(), before.filter((name) => !name.includes('-wal')).sort());
  assert.ok(existsSync(join(workspace, 'mine.txt')));
  const again = await openBoxStore(workspace);
  assert.equal((await again.read((reader) => reader.events.head()))!.seq, 3);
  await again.close();
});

test('a box that came up while the archive was read keeps its workspace', async (t) => {
  const archive = await archiveOf(t);
  const workspace = newWorkspace(t);
  let started: Awaited<ReturnType<typeof openBoxStore>> | null = null;
  const opening = Promise.withResolvers<void>();
  const source = (async function* () {
    yield archive.subarray(0, 20_000);
    started = await openBoxStore(workspace);
    opening.resolve();
    yield archive.subarray(20_000);
  })();
  await assert.rejects(
    restoreFrom(Readable.from(source, { objectMode: false }), workspace),
    /a box is running/,
  );
  await opening.promise;
  await requireFinishedRestore(workspace);
  await started!.close();
  assert.deepEqual(leftIn(workspace).sort(), ['ledger.head', 'task.db']);
});

test('two restores at once: the second is told of the first', async (t) => {
  const archive = await archiveOf(t);
  const workspace = newWorkspace(t);
  const first = restoreFrom(archive, workspace);
  const second = await restoreFrom(archive, workspace, { force: true }).catch((error: unknown) => error);
  await first;
  assert.match(String(second), /another restore or migration is under way/);
});

async function killedAt(t: TestContext, step: string): Promise<{ workspace: string; archive: Buffer }> {
  const archive = await archiveOf(t);
  const workspace = newWorkspace(t);
  const file = join(workspace, '..', 'box.tar');
  writeFileSync(file, archive);
  const { signal, stderr } = spawnSync(process.execPath, ['--no-warnings', KILLED, file, workspace, step]);
  assert.equal(signal, 'SIGKILL', stderr.toString());
  return { workspace, archive };
}

for (const step of ['a backup of', 'making the repositories', 'loading the store', 'looking for']) {
  test(`killed while "${step}": the workspace is as empty as before, and the next restore works`, async (t) => {
    const { workspace, archive } = await killedAt(t, step);
    await requireFinishedRestore(workspace);
    assert.deepEqual(leftIn(workspace), ['.restoring']);
    await restoreFrom(archive, workspace);
    assert.equal(existsSync(join(workspace, '.restoring')), false);
  });
}

for (const movedIn of [0, 2, 100]) {
  test(`killed while it moves in, after ${movedIn} of its files: no box starts until a restore is finished`, async (t) => {
    const { workspace, archive } = await killedAt(t, 'moving everything in');
    const staging = join(workspace, '.restoring');
    for (const name of readdirSync(staging).slice(0, movedIn)) {
      renameSync(join(staging, name), join(workspace, name));
    }
    await assert.rejects(
      requireFinishedRestore(workspace),
      /was not finished; run `dbox restore FILE` again/,
    );
    const { former } = await restoreFrom(archive, workspace);
    assert.equal(former.length, movedIn === 0 ? 0 : 1);
    await requireFinishedRestore(workspace);
    const store = await openBoxStore(workspace);
    const report = await verifyLedger(store, { headFile: join(workspace, 'ledger.head') });
    assert.deepEqual([report.ok, report.count], [true, 3]);
    await store.close();
  });
}

test('a backup is one at a time, and a reader that leaves gives everything back', async (t) => {
  const box = await runningBox(t);
  const body = await box.desk.open();
  await assert.rejects(box.desk.open(), /Another backup is being made/);
  assert.equal(box.holds(), 1);
  const closed = new Promise((resolve) => body.once('close', resolve));
  body.destroy();
  await closed;
  // The copy of the store is closed after the stream.
  while (box.holds() > 0) await new Promise(setImmediate);
  assert.deepEqual(
    readdirSync(box.workspace).filter((name) => name.includes('.copy-')),
    [],
  );
  await readArchive(await box.desk.open());
});

test('a project that is removed while it is backed up is in the archive all the same', async (t) => {
  const box = await runningBox(t);
  const body = await box.desk.open();
  renameSync(
    join(box.workspace, 'projects', 'shop.git'),
    join(box.workspace, 'removed', 'shop-2026-01-05T00-00-00-000Z.git'),
  );
  const workspace = newWorkspace(t);
  await restoreFrom(body, workspace);
  assert.ok(existsSync(join(workspace, 'projects', 'shop.git')));
});
