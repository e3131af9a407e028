import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Attachment } from '@dbox/contracts';
import { createWorkspaceFiles } from './workspace-files.ts';

const STORY = 'st_0123456789';

async function workspaceOf(t: TestContext) {
  const workspace = await mkdtemp(join(tmpdir(), 'dbox-files-'));
  t.after(() => rm(workspace, { recursive: true, force: true }));
  return { workspace, files: createWorkspaceFiles({ workspace }) };
}

function attachment(name: string): Attachment {
  const file = { path: 'a.txt', contentBase64: Buffer.from(name).toString('base64'), executable: false };
  return { attempt: name, kind: 'directory', files: [file] };
}

test('a spec lies where people look for it, and a later one replaces it as a whole', async (t) => {
  const { workspace, files } = await workspaceOf(t);
  await files.writeSpec('task-001', 'id: task-001\n');
  await files.writeSpec('task-001', 'id: task-001\ntitle: x\n');
  assert.equal(
    await readFile(join(workspace, 'tasks/task-001/spec.yaml'), 'utf8'),
    'id: task-001\ntitle: x\n',
  );
  assert.deepEqual(await readdir(join(workspace, 'tasks/task-001')), ['spec.yaml']);
});

test('attachments come back by task and index, also where tasks use the same words', async (t) => {
  const { files } = await workspaceOf(t);
  await files.saveAttachments(
    STORY,
    new Map([
      ['a', [attachment('good'), attachment('better')]],
      ['b', [attachment('other')]],
    ]),
  );
  assert.equal((await files.readAttachment(STORY, 'a', 1))?.attempt, 'better');
  assert.equal((await files.readAttachment(STORY, 'b', 0))?.attempt, 'other');
  assert.equal(await files.readAttachment(STORY, 'b', 1), null);
  assert.equal(await files.readAttachment(STORY, 'c', 0), null);
  assert.equal(await files.readAttachment('st_zzzzzzzzzz', 'a', 0), null);
});

test('a repeated save holds exactly what was saved last', async (t) => {
  const { files } = await workspaceOf(t);
  await files.saveAttachments(STORY, new Map([['a', [attachment('one'), attachment('two')]]]));
  await files.saveAttachments(STORY, new Map([['a', [attachment('three')]]]));
  assert.equal((await files.readAttachment(STORY, 'a', 0))?.attempt, 'three');
  assert.equal(await files.readAttachment(STORY, 'a', 1), null);
});

test('attachments of a refused story are removed, twice if need be', async (t) => {
  const { workspace, files } = await workspaceOf(t);
  await files.saveAttachments(STORY, new Map([['a', [attachment('one')]]]));
  await files.removeAttachments(STORY);
  await files.removeAttachments(STORY);
  assert.equal(await files.readAttachment(STORY, 'a', 0), null);
  assert.deepEqual(await readdir(join(workspace, 'stories')), []);
});

test('an id that would leave the workspace is refused', async (t) => {
  const { workspace, files } = await workspaceOf(t);
  await assert.rejects(files.writeSpec('../evil', 'x'), /refused as part of a path/);
  await assert.rejects(files.saveAttachments('../../etc', new Map([['a', [attachment('x')]]])), /refused/);
  await assert.rejects(files.saveAttachments(STORY, new Map([['..', [attachment('x')]]])), /refused/);
  assert.deepEqual(await readdir(workspace), []);
});

test('the free share of the disk is between nothing and all', async (t) => {
  const { files } = await workspaceOf(t);
  const share = await files.freeSpace();
  assert.ok(share > 0 && share <= 1, String(share));
});
