import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type LogLine, MAX_LOG_LINE_BYTES, ProblemError } from '@dbox/contracts';
import type { LogStore, LogSubject } from '../../ports/log-store.ts';
import { createLogStore } from './file-log-store.ts';

const JOB: LogSubject = { kind: 'job', id: 'job_0123456789' };
const SERVICE: LogSubject = { kind: 'service', id: 'coding' };
const SMALL = { headBytes: 1_000, tailBytes: 500, serviceFileBytes: 1_000 };

async function workspaceOf(t: TestContext) {
  const workspace = await mkdtemp(join(tmpdir(), 'dbox-logs-'));
  t.after(() => rm(workspace, { recursive: true, force: true }));
  return workspace;
}

function line(text: string, stream: LogLine['stream'] = 'stdout'): LogLine {
  return { at: '2026-01-02T03:04:05.678Z', stream, text };
}

async function readAll(store: LogStore, subject: LogSubject, after: string | null = null, limit = 7) {
  const texts: string[] = [];
  let cursor = after;
  for (;;) {
    const { lines, next } = await store.read(subject, { after: cursor, limit });
    assert.ok(lines.length <= limit);
    if (lines.length === 0) return { texts, next };
    texts.push(...lines.map(({ text }) => text));
    cursor = next;
  }
}

function numbered(from: number, to: number): LogLine[] {
  return Array.from({ length: to - from }, (_, n) => line(`line ${from + n}`));
}

function bytesBelow(directory: string): number {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((one) =>
    one.isFile(),
  );
  return files.reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0);
}

test('lines come back as they were, in order, in one file for people', async (t) => {
  const workspace = await workspaceOf(t);
  const store = createLogStore({ workspace });
  assert.deepEqual(await store.read(JOB, { after: null, limit: 10 }), { lines: [], next: '0' });
  const lines = [line('a "quoted"\n\u0000 text', 'stderr'), line('{"level":"info"}', 'agent'), line('')];
  await store.append(JOB, lines);
  await store.append(JOB, []);
  assert.deepEqual((await store.read(JOB, { after: null, limit: 10 })).lines, lines);
  const file = join(workspace, 'logs/jobs/job_0123456789.log');
  assert.equal(readFileSync(file, 'utf8').split('\n').length, 4);
});

test('appends of one log keep their order, however many there are at once', async (t) => {
  const store = createLogStore({ workspace: await workspaceOf(t), ...SMALL, headBytes: 1_000_000 });
  await Promise.all(numbered(0, 60).map((one) => store.append(JOB, [one])));
  const { texts } = await readAll(store, JOB);
  assert.deepEqual(
    texts,
    numbered(0, 60).map(({ text }) => text),
  );
});

test('past its cap a log keeps head and tail, marks the cut, and grows no more', async (t) => {
  const workspace = await workspaceOf(t);
  const store = createLogStore({ workspace, ...SMALL });
  for (let n = 0; n < 1_000; n += 10) await store.append(JOB, numbered(n, n + 10));
  assert.ok(bytesBelow(workspace) <= SMALL.headBytes + 2 * SMALL.tailBytes, String(bytesBelow(workspace)));
  const { texts } = await readAll(store, JOB);
  const cut = texts.findIndex((text) => /^… \d+ bytes of this log were left out here …$/.test(text));
  assert.ok(cut > 5);
  assert.deepEqual(
    texts.slice(0, cut),
    numbered(0, cut).map(({ text }) => text),
  );
  const tail = texts.slice(cut + 1);
  assert.deepEqual(
    tail,
    numbered(1_000 - tail.length, 1_000).map(({ text }) => text),
  );
  assert.ok(tail.length * 70 >= SMALL.tailBytes);
  // The mark is counted as a line like any other.
  assert.deepEqual((await readAll(store, JOB, null, 1)).texts, texts);
});

test('one append larger than all caps is bounded too', async (t) => {
  const workspace = await workspaceOf(t);
  const store = createLogStore({ workspace, ...SMALL });
  await store.append(JOB, numbered(0, 20_000));
  assert.ok(bytesBelow(workspace) <= 2_000);
  assert.equal((await readAll(store, JOB)).texts.at(-1), 'line 19999');
});

test('a follower sees every line once and no cut, across rotation and restarts', async (t) => {
  const workspace = await workspaceOf(t);
  for (const subject of [JOB, SERVICE]) {
    const seen: string[] = [];
    let cursor: string | null = null;
    for (let n = 0; n < 300; n += 3) {
      const store = createLogStore({ workspace, ...SMALL });
      await store.append(subject, numbered(n, n + 3));
      const { texts, next } = await readAll(store, subject, cursor);
      seen.push(...texts);
      cursor = next;
    }
    assert.deepEqual(
      seen,
      numbered(0, 300).map(({ text }) => text),
    );
  }
});

test('a follower that fell behind repeats nothing and is told what it missed', async (t) => {
  const store = createLogStore({ workspace: await workspaceOf(t), ...SMALL });
  for (const subject of [JOB, SERVICE]) {
    await store.append(subject, numbered(0, 5));
    const { next } = await readAll(store, subject);
    for (let n = 5; n < 500; n += 5) await store.append(subject, numbered(n, n + 5));
    const { texts } = await readAll(store, subject, next);
    const numbers = texts.filter((text) => text.startsWith('line')).map((text) => Number(text.slice(5)));
    assert.ok(numbers.every((number, index) => index === 0 || number > numbers[index - 1]!));
    assert.ok(numbers[0]! >= 5 && numbers.at(-1) === 499);
    assert.equal(texts.filter((text) => text.includes('left out')).length, 1);
  }
});

test('a service log is rotated by size and its old files go', async (t) => {
  const workspace = await workspaceOf(t);
  const store = createLogStore({ workspace, ...SMALL });
  for (let n = 0; n < 500; n += 5) await store.append(SERVICE, numbered(n, n + 5));
  const names = readdirSync(join(workspace, 'logs'));
  assert.equal(names.length, 3);
  assert.ok(names.includes('coding.log') && names.every((name) => /^coding(\.\d+)?\.log$/.test(name)));
  assert.ok(bytesBelow(workspace) <= 3_000);
});

test("a service's own JSON is written flat and read back as it was", async (t) => {
  const workspace = await workspaceOf(t);
  const store = createLogStore({ workspace });
  const text = JSON.stringify({ level: 'warn', message: 'lost the lease', job: 'job_1' });
  await store.append(SERVICE, [line(text, 'agent')]);
  const written = readFileSync(join(workspace, 'logs/coding.log'), 'utf8');
  assert.deepEqual(JSON.parse(written), {
    at: line('').at,
    level: 'warn',
    message: 'lost the lease',
    job: 'job_1',
  });
  assert.deepEqual((await store.read(SERVICE, { after: null, limit: 1 })).lines, [line(text, 'agent')]);
});

test('a line that a crash tore costs only itself, and is not shown while it is being written', async (t) => {
  const workspace = await workspaceOf(t);
  const file = join(workspace, 'logs/jobs/job_0123456789.log');
  await createLogStore({ workspace }).append(JOB, numbered(0, 2));
  appendFileSync(file, '{"at":"2026-01-02T03:0');
  const store = createLogStore({ workspace });
  const { texts, next } = await readAll(store, JOB);
  assert.deepEqual(texts, ['line 0', 'line 1']);
  await store.append(JOB, numbered(2, 4));
  assert.deepEqual((await readAll(store, JOB, next)).texts, ['line 2', 'line 3']);
});

test('what is no log line in a file is passed over', async (t) => {
  const workspace = await workspaceOf(t);
  const store = createLogStore({ workspace });
  await store.append(JOB, numbered(0, 1));
  const file = join(workspace, 'logs/jobs/job_0123456789.log');
  appendFileSync(file, '\n\nnull\n[1]\n{}\n{"at":1}\n{"at":"x","stream":"evil","text":""}\n\xff\n');
  await store.append(JOB, numbered(1, 2));
  assert.deepEqual((await readAll(store, JOB)).texts, ['line 0', 'line 1']);
});

test('a line longer than a line may be is cut and says so', async (t) => {
  const store = createLogStore({ workspace: await workspaceOf(t) });
  await store.append(JOB, [line('é'.repeat(100_000))]);
  const [read] = (await store.read(JOB, { after: null, limit: 1 })).lines;
  assert.ok(Buffer.byteLength(read!.text) <= MAX_LOG_LINE_BYTES + 16);
  assert.match(read!.text, /\[cut\]$/);
});

test('an answer is bounded in bytes as well, and the next one goes on', async (t) => {
  const store = createLogStore({ workspace: await workspaceOf(t), headBytes: 50_000_000 });
  const lines = Array.from({ length: 1_000 }, (_, n) => line(`${n} ${'x'.repeat(8_000)}`));
  await store.append(JOB, lines);
  const first = await store.read(JOB, { after: null, limit: 10_000 });
  assert.ok(first.lines.length > 0 && first.lines.length < 1_000);
  assert.equal((await readAll(store, JOB, null, 10_000)).texts.length, 1_000);
});

test('a removed log is gone with its tail, twice if need be, and may begin anew', async (t) => {
  const workspace = await workspaceOf(t);
  const store = createLogStore({ workspace, ...SMALL });
  for (const subject of [JOB, SERVICE]) {
    await store.append(subject, numbered(0, 500));
    const { next } = await readAll(store, subject);
    await store.remove(subject);
    await store.remove(subject);
    await store.append(subject, numbered(0, 1));
    assert.deepEqual((await readAll(store, subject)).texts, ['line 0']);
    assert.deepEqual((await readAll(store, subject, next)).texts, []);
  }
  await store.remove(JOB);
  await store.remove(SERVICE);
  assert.equal(bytesBelow(workspace), 0);
});

test('a disk that takes nothing loses lines and nothing else', async (t) => {
  const workspace = await workspaceOf(t);
  writeFileSync(join(workspace, 'logs'), 'a file where the directory should be');
  const store = createLogStore({ workspace });
  await store.append(JOB, numbered(0, 1));
  await store.append(SERVICE, numbered(0, 1));
  await rm(join(workspace, 'logs'));
  await mkdir(join(workspace, 'logs'));
  await store.append(JOB, numbered(1, 2));
  assert.deepEqual((await readAll(store, JOB)).texts, ['line 1']);
});

test('names and cursors that are none are refused', async (t) => {
  const workspace = await workspaceOf(t);
  const store = createLogStore({ workspace });
  const isInvalid = (error: unknown) => error instanceof ProblemError && error.code === 'invalid_request';
  for (const id of ['../x', '', 'a.b', 'a/b', '.', 'a\0']) {
    await assert.rejects(store.append({ kind: 'service', id }, numbered(0, 1)), isInvalid, id);
    await assert.rejects(store.read({ kind: 'job', id }, { after: null, limit: 1 }), isInvalid, id);
  }
  for (const after of ['', 'x', '-1', '1e9', '9'.repeat(20)]) {
    await assert.rejects(store.read(JOB, { after, limit: 1 }), isInvalid, after);
  }
  assert.equal(existsSync(join(workspace, 'logs')), false);
});
