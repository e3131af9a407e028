import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { FakeJob, FakeManager } from '@dbox/agent-sdk/testing';
import { makeCodePayload, makeTaskSpec, startFakeManager } from '@dbox/agent-sdk/testing';
import type { Attachment, TaskInput } from '@dbox/contracts';
import { startCodingAgent } from './index.ts';

const SCRIPTED: TaskInput = { type: 'scripted', attempts: ['one'] };
const attach = (files: Record<string, string>): Attachment => ({
  attempt: 'one',
  kind: 'directory',
  files: Object.entries(files).map(([path, text]) => ({
    path,
    contentBase64: Buffer.from(text).toString('base64'),
    executable: false,
  })),
});

async function startBox(t: TestContext): Promise<FakeManager> {
  const manager = await startFakeManager();
  const stateDir = await mkdtemp(join(tmpdir(), 'dbox-coding-'));
  const agent = await startCodingAgent({
    managerUrl: manager.url,
    token: manager.token,
    stateDir,
    name: 'coder',
    version: '1.0.0',
    capacity: 1,
    templatesDir: join(import.meta.dirname, '../../../templates'),
  });
  t.after(async () => {
    await agent.stop({ graceMs: 0 });
    await manager.stop();
    await rm(stateDir, { recursive: true, force: true });
  });
  return manager;
}

async function commitOf(job: FakeJob): Promise<string> {
  const result = await job.finished;
  assert.ok(result.kind === 'code' && result.outcome === 'succeeded', JSON.stringify(result));
  return result.commit;
}

async function failureOf(job: FakeJob): Promise<{ cause: string; detail: string; engine: string }> {
  const result = await job.finished;
  assert.ok(result.kind === 'code' && result.outcome === 'failed', JSON.stringify(result));
  return result;
}

test('an attempt becomes one commit with a fixed author, the date of its job and trailers', async (t) => {
  const manager = await startBox(t);
  const startCommit = await manager.repository.commit({ files: { 'a.txt': 'one' } });
  const task = makeTaskSpec({ id: 'task-7', title: 'Say\nhello\n\nDbox-Task: forged', inputs: [SCRIPTED] });
  const payload = makeCodePayload({
    task,
    startCommit,
    mainCommit: startCommit,
    engine: 'scripted',
    attempt: 2,
  });
  const job = manager.enqueue(payload, {
    attachment: attach({ 'b.txt': 'two' }),
    createdAt: '2026-01-02T03:04:05.678Z',
  });
  const commit = await commitOf(job);
  assert.deepEqual(await manager.repository.files(commit), { 'a.txt': 'one', 'b.txt': 'two' });
  assert.deepEqual(await manager.repository.describe(commit), {
    parents: [startCommit],
    author: 'Developer in a Box <dbox@localhost>',
    authoredAt: '2026-01-02T03:04:05+00:00',
    committedAt: '2026-01-02T03:04:05+00:00',
    message: 'task-7: Say hello Dbox-Task: forged\n\nDbox-Task: task-7\nDbox-Attempt: 2',
  });
  assert.ok(job.logs.some(({ text }) => text.includes('the scripted engine writes attempt 2 of task-7')));
});

test('a repeated lease makes the very same commit', async (t) => {
  const manager = await startBox(t);
  const input: TaskInput = { type: 'template', name: 'blog', values: { title: 'Twice' } };
  const startCommit = await manager.repository.commit({ files: {} });
  const job = manager.enqueue(makeCodePayload({ input, startCommit, mainCommit: startCommit }));
  manager.fail('completeJob', { kind: 'problem', code: 'store_unavailable' }, 1_000);
  const [first] = await manager.until(() => (job.commits.length > 0 ? job.commits : null));
  job.loseLease();
  manager.clearFaults();
  const second = await commitOf(job);
  assert.equal(job.fence, 2);
  assert.equal(second, first);
});

test('a template is built into an empty project, executable where it should be', async (t) => {
  const manager = await startBox(t);
  const input: TaskInput = { type: 'template', name: 'simple-static', values: { title: 'Tea' } };
  const commit = await commitOf(manager.enqueue(makeCodePayload({ input })));
  const modes = await manager.repository.modes(commit);
  assert.equal(modes['run-tests.sh'], '100755');
  assert.equal(modes['index.html'], '100644');
  assert.deepEqual((await manager.repository.describe(commit)).parents, []);
});

test('an attempt that changes nothing is refused, whatever the engine says', async (t) => {
  const manager = await startBox(t);
  const startCommit = await manager.repository.commit({ files: { 'a.txt': 'one' } });
  const payload = makeCodePayload({ input: SCRIPTED, startCommit, mainCommit: startCommit });
  const job = manager.enqueue(payload, { attachment: attach({ 'a.txt': 'one' }) });
  const { cause, detail, engine } = await failureOf(job);
  assert.deepEqual([cause, detail, engine], ['commit', 'the attempt changed nothing', 'scripted']);
  assert.deepEqual(job.commits, []);
});

test('an attempt written on main descends from the former try and from main', async (t) => {
  const manager = await startBox(t);
  const old = await manager.repository.commit({ files: { 'a.txt': 'zero\n' } });
  const mainCommit = await manager.repository.commit({
    files: { 'a.txt': 'one\n', 'new.txt': 'x' },
    parent: old,
  });
  const startCommit = await manager.repository.commit({ files: { 'a.txt': 'wrong\n' }, parent: old });
  const patch = '--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-one\n+two\n';
  const attachment = { ...attach({ 'fix.patch': patch }), kind: 'patch' as const };
  const job = manager.enqueue(makeCodePayload({ input: SCRIPTED, attempt: 2, startCommit, mainCommit }), {
    attachment,
  });
  const commit = await commitOf(job);
  assert.deepEqual(await manager.repository.files(commit), { 'a.txt': 'two\n', 'new.txt': 'x' });
  assert.deepEqual((await manager.repository.describe(commit)).parents, [startCommit, mainCommit]);
});

test('an attempt written on main has one parent where the former try already holds main', async (t) => {
  const manager = await startBox(t);
  const mainCommit = await manager.repository.commit({ files: { 'a.txt': 'one\n' } });
  const startCommit = await manager.repository.commit({ files: { 'a.txt': 'wrong\n' }, parent: mainCommit });
  const patch = '--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-one\n+two\n';
  const attachment = { ...attach({ 'fix.patch': patch }), kind: 'patch' as const };
  const job = manager.enqueue(makeCodePayload({ input: SCRIPTED, attempt: 2, startCommit, mainCommit }), {
    attachment,
  });
  assert.deepEqual((await manager.repository.describe(await commitOf(job))).parents, [startCommit]);
});

test('what no attempt can mend is told as final', async (t) => {
  const manager = await startBox(t);
  const unknown = manager.enqueue(makeCodePayload({ input: { type: 'template', name: 'nope', values: {} } }));
  assert.deepEqual(await failureOf(unknown).then(({ cause, engine }) => [cause, engine]), [
    'final',
    'template',
  ]);
  const unrecorded = manager.enqueue(makeCodePayload({ input: SCRIPTED, attempt: 4 }));
  assert.match((await failureOf(unrecorded)).detail, /no attempt 4 was recorded/);
});

test('attributes and settings of a hostile project start no program', async (t) => {
  const manager = await startBox(t);
  const marker = join(tmpdir(), 'dbox-coding-filter-ran');
  const startCommit = await manager.repository.commit({
    files: {
      '.gitattributes': '* filter=evil diff=evil merge=evil\n',
      '.gitmodules': '[submodule "x"]\n\tpath = x\n\turl = ext::sh -c touch% /tmp/dbox-coding-filter-ran\n',
      '.git-hooks/post-commit': { executable: `#!/bin/sh\ntouch ${marker}\n` },
    },
  });
  const payload = makeCodePayload({ input: SCRIPTED, startCommit, mainCommit: startCommit });
  await commitOf(manager.enqueue(payload, { attachment: attach({ 'b.txt': 'x' }) }));
  await assert.rejects(rm(marker), { code: 'ENOENT' });
});
