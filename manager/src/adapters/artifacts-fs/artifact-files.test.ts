import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { ProblemError } from '@dbox/contracts';
import { createArtifactStore } from './artifact-files.ts';

const ID = 'art_0123456789';

async function storeOf(t: TestContext) {
  const workspace = await mkdtemp(join(tmpdir(), 'dbox-artifacts-'));
  t.after(() => rm(workspace, { recursive: true, force: true }));
  return { workspace, store: createArtifactStore({ workspace }) };
}

function upload(content: string, more: { name?: string; maxBytes?: number; sha256?: string } = {}) {
  return {
    id: ID,
    taskId: 'task-001',
    name: more.name ?? 'report.txt',
    body: Readable.from([Buffer.from(content.slice(0, 3)), Buffer.from(content.slice(3))]),
    expectedSha256: more.sha256 ?? createHash('sha256').update(content).digest('hex'),
    maxBytes: more.maxBytes ?? 1_000,
  };
}

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
}

function problem(code: string) {
  return (error: unknown) => error instanceof ProblemError && error.code === code;
}

test('what was put comes back, and lies where people look for it', async (t) => {
  const { workspace, store } = await storeOf(t);
  assert.deepEqual(await store.put(upload('hello world')), { sizeBytes: 11 });
  const place = { id: ID, taskId: 'task-001', name: 'report.txt' };
  assert.equal(await text(await store.open(place)), 'hello world');
  assert.equal(
    await readFile(join(workspace, 'tasks/task-001/artifacts', `${ID}-report.txt`), 'utf8'),
    'hello world',
  );
  await store.put({ ...upload('no task'), taskId: null });
  assert.equal(await text(await store.open({ ...place, taskId: null })), 'no task');
});

test('a repeated put replaces the file and leaves nothing else', async (t) => {
  const { workspace, store } = await storeOf(t);
  await store.put(upload('hello world'));
  await store.put(upload('hello again'));
  assert.equal(
    await text(await store.open({ id: ID, taskId: 'task-001', name: 'report.txt' })),
    'hello again',
  );
  assert.deepEqual(await filesBelow(workspace), [`${ID}-report.txt`]);
});

test('a file that is too large, or not the announced one, leaves nothing', async (t) => {
  const { workspace, store } = await storeOf(t);
  await assert.rejects(store.put(upload('hello world', { maxBytes: 10 })), problem('payload_too_large'));
  await assert.rejects(
    store.put(upload('hello world', { sha256: '0'.repeat(64) })),
    problem('artifact_mismatch'),
  );
  assert.deepEqual(await filesBelow(workspace), []);
});

test('an upload that breaks off leaves nothing', async (t) => {
  const { workspace, store } = await storeOf(t);
  const body = Readable.from(
    (async function* () {
      yield Buffer.from('hel');
      throw new Error('connection lost');
    })(),
  );
  await assert.rejects(store.put({ ...upload('hello'), body }), /connection lost/);
  assert.deepEqual(await filesBelow(workspace), []);
});

test('names and ids that would leave the directory are refused', async (t) => {
  const { workspace, store } = await storeOf(t);
  for (const name of ['../x', '..', 'a/b', '.hidden', '', 'a\nb', 'a\0b', 'x'.repeat(101)]) {
    await assert.rejects(store.put(upload('x', { name })), problem('invalid_request'), name);
    await assert.rejects(store.open({ id: ID, taskId: null, name }), problem('invalid_request'), name);
  }
  await assert.rejects(store.put({ ...upload('x'), taskId: '../..' }), /no task id/);
  await assert.rejects(store.put({ ...upload('x'), id: '../art' }), /no artifact id/);
  assert.deepEqual(await filesBelow(workspace), []);
});

test('a link under the name of an artifact is neither read nor written through', async (t) => {
  const { workspace, store } = await storeOf(t);
  const directory = join(workspace, 'tasks/task-001/artifacts');
  await mkdir(directory, { recursive: true });
  await writeFile(join(workspace, 'secret'), 'secret');
  await symlink(join(workspace, 'secret'), join(directory, `${ID}-report.txt`));
  const place = { id: ID, taskId: 'task-001', name: 'report.txt' };
  await assert.rejects(store.open(place), problem('not_found'));
  await store.put(upload('hello'));
  assert.equal(await readFile(join(workspace, 'secret'), 'utf8'), 'secret');
  assert.equal(await text(await store.open(place)), 'hello');
});

test('a file that is gone is named as such, and removing it twice is fine', async (t) => {
  const { store } = await storeOf(t);
  const place = { id: ID, taskId: 'task-001', name: 'report.txt' };
  await store.put(upload('hello'));
  await store.remove(place);
  await store.remove(place);
  await assert.rejects(store.open(place), problem('not_found'));
});

test('what a killed box left half received is cleared away, what is under way is not', async (t) => {
  const { workspace, store } = await storeOf(t);
  const incoming = join(workspace, 'artifacts/.incoming');
  await mkdir(incoming, { recursive: true });
  await writeFile(join(incoming, 'old'), 'x');
  await utimes(join(incoming, 'old'), 1, 1);
  await writeFile(join(incoming, 'new'), 'x');
  await store.put(upload('hello'));
  assert.deepEqual(await readdir(incoming), ['new']);
});
