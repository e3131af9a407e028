import assert from 'node:assert/strict';
import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AttachedFile, Attachment, TaskInput } from '@dbox/contracts';
import { assertFailed, assertWritten, runEngine, testEngine } from '../testing/engine.testsuite.ts';
import { createScriptedEngine } from './scripted-engine.ts';

const engine = createScriptedEngine();
const input: TaskInput = { type: 'scripted', attempts: ['attempts/1', 'attempts/2'] };
const file = (path: string, text: string, executable = false): AttachedFile => ({
  path,
  contentBase64: Buffer.from(text).toString('base64'),
  executable,
});
const directory = (...files: AttachedFile[]): Attachment => ({
  attempt: 'attempts/1',
  kind: 'directory',
  files,
});
const patch = (text: string): Attachment => ({
  attempt: 'fix.patch',
  kind: 'patch',
  files: [file('fix.patch', text)],
});
const CHANGE = '--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-one\n+two\n';

testEngine({
  engine,
  possible: { input, attachment: directory(file('index.html', '<h1>Hi</h1>'), file('run.sh', 'true', true)) },
  impossible: { input, attachment: null },
});

test('an attempt that was not recorded says which', async (t) => {
  assertFailed(await runEngine(t, engine, { input, attempt: 3 }), 'final', /^no attempt 3 was recorded$/);
});

test('a directory is laid over the tree, modes and all', async (t) => {
  const run = await runEngine(t, engine, {
    input,
    start: { 'a.txt': 'one', 'deep/b.txt': 'b' },
    attachment: directory(file('a.txt', 'two'), file('deep/er/run.sh', '#!/bin/sh\n', true)),
  });
  assertWritten(run);
  assert.deepEqual(run.files, { 'a.txt': 'two', 'deep/b.txt': 'b', 'deep/er/run.sh': '#!/bin/sh\n' });
  assert.equal((await lstat(join(run.tree, 'deep/er/run.sh'))).mode & 0o777, 0o755);
});

test('no recorded path leaves the tree or reaches the repository, and nothing at all is written', async (t) => {
  const paths = [
    '../out',
    'a/../../out',
    '/etc/passwd',
    'C:/x',
    '.git/hooks/pre-commit',
    '.GIT/config',
    'deep/.git/config',
    '.git./config',
    'GIT~1/config',
    '.g\u200cit/config',
    '.git::$INDEX_ALLOCATION/config',
    'a\\b',
    'a//b',
    './a',
    'a\u0000b',
    'a\nb',
    '',
  ];
  for (const path of paths) {
    const run = await runEngine(t, engine, {
      input,
      attachment: directory(file('good.txt', 'x'), file(path, 'x')),
    });
    assertFailed(run, 'commit', /cannot be used/);
    assert.deepEqual(run.files, {}, path);
  }
});

test('a link in the project is neither followed nor written through', async (t) => {
  const outside = '/tmp/dbox-engine-must-not-exist';
  const start = { dir: { linkTo: '/tmp' }, 'link.txt': { linkTo: outside } };
  const through = await runEngine(t, engine, {
    input,
    start,
    attachment: directory(file('dir/dbox-engine-must-not-exist', 'x')),
  });
  assertFailed(through, 'commit', /goes through the link dir/);
  const over = await runEngine(t, engine, { input, start, attachment: directory(file('link.txt', 'mine')) });
  assertWritten(over);
  assert.equal(await readFile(join(over.tree, 'link.txt'), 'utf8'), 'mine');
  await assert.rejects(lstat(outside));
});

test('a file where a directory is, a directory where a file is, and a path named twice are refused', async (t) => {
  const start = { 'dir/a': 'x', file: 'x' };
  const cases: [Attachment, RegExp][] = [
    [directory(file('dir', 'x')), /it is a directory/],
    [directory(file('file/b', 'x')), /file is a file/],
    [directory(file('b', 'x'), file('b', 'y')), /there twice/],
  ];
  for (const [attachment, detail] of cases) {
    assertFailed(await runEngine(t, engine, { input, start, attachment }), 'commit', detail);
  }
});

test('a patch is applied to what is there', async (t) => {
  const run = await runEngine(t, engine, { input, start: { 'a.txt': 'one\n' }, attachment: patch(CHANGE) });
  assertWritten(run);
  assert.equal(run.files['a.txt'], 'two\n');
  assert.equal(run.basedOn, 'start');
});

test('a patch that was made for main is applied to main where the former attempt is in its way', async (t) => {
  const run = await runEngine(t, engine, {
    input,
    attempt: 2,
    start: { 'a.txt': 'wrong\n', 'left-over.txt': 'x' },
    main: { 'a.txt': 'one\n' },
    attachment: patch(CHANGE),
  });
  assertWritten(run);
  assert.deepEqual(run.files, { 'a.txt': 'two\n' });
  assert.equal(run.basedOn, 'main');
});

test("a patch that applies nowhere is the attempt's fault, told in git's words", async (t) => {
  const run = await runEngine(t, engine, {
    input,
    start: { 'a.txt': 'other\n' },
    main: { 'a.txt': 'another\n' },
    attachment: patch(CHANGE),
  });
  assertFailed(run, 'commit', /fix\.patch does not apply .*patch failed: a\.txt:1/s);
  const same = await runEngine(t, engine, {
    input,
    start: { 'a.txt': 'other\n' },
    attachment: patch(CHANGE),
  });
  assertFailed(same, 'commit', /patch failed/);
  const empty = await runEngine(t, engine, {
    input,
    start: { 'a.txt': 'x' },
    attachment: patch('no patch at all'),
  });
  assertFailed(empty, 'commit', /does not apply/);
});

test('a patch cannot write outside of the tree or into the repository', async (t) => {
  for (const path of ['../out.txt', '.git/config-x', 'dir/dbox-engine-must-not-exist']) {
    const text = `diff --git a/${path} b/${path}\nnew file mode 100644\n--- /dev/null\n+++ b/${path}\n@@ -0,0 +1 @@\n+x\n`;
    const run = await runEngine(t, engine, {
      input,
      start: { dir: { linkTo: '/tmp' } },
      attachment: patch(text),
    });
    assertFailed(run, 'commit', /does not apply/);
  }
  await assert.rejects(lstat('/tmp/dbox-engine-must-not-exist'));
});
