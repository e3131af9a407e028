import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { ProblemError } from '@dbox/contracts';
import { EXIT } from './exit-codes.ts';
import type { FakeManager, Handlers } from './testing/fake-manager.ts';
import { RawAnswer, startFakeManager } from './testing/fake-manager.ts';
import type { TestWorkspace } from './testing/run-main.ts';
import { makeWorkspace, runMain, startMain } from './testing/run-main.ts';
import { COMMIT, DELIVERED, release, STATUS, STORY_ID, TASK, TASK_DETAIL } from './testing/sample-answers.ts';

async function setUp(
  t: TestContext,
  handlers: Handlers = {},
): Promise<{ manager: FakeManager; space: TestWorkspace }> {
  const manager = await startFakeManager(handlers);
  const space = await makeWorkspace();
  await space.announce({ url: manager.url });
  t.after(async () => {
    await manager.close();
    await space.remove();
  });
  return { manager, space };
}

test('without a command the help is the answer', async () => {
  const { exitCode, stdout, stderr } = await runMain([]);
  assert.equal(exitCode, EXIT.ok);
  assert.match(stdout, /run \[text\.\.\.\]/);
  assert.equal(stderr, '');
});

test('a mistyped command or flag is told what was meant', async () => {
  const command = await runMain(['stauts']);
  assert.equal(command.exitCode, EXIT.usage);
  assert.match(command.stderr, /unknown command 'stauts'\n\(Did you mean status\?\)/);
  const flag = await runMain(['status', '--jsno']);
  assert.equal(flag.exitCode, EXIT.usage);
  assert.match(flag.stderr, /Did you mean --json\?/);
});

test('with --json an error is one JSON object on stdout and its message on stderr', async (t) => {
  const space = await makeWorkspace();
  t.after(space.remove);
  const { exitCode, stdout, stderr } = await runMain(['status', '--json'], { env: space.env });
  assert.equal(exitCode, EXIT.unreachable);
  const { error } = JSON.parse(stdout) as { error: { code: string; exitCode: number; hint: string } };
  assert.deepEqual([error.code, error.exitCode], ['box_unreachable', EXIT.unreachable]);
  assert.match(error.hint, /dbox up/);
  assert.match(stderr, /No box is running on/);
});

test('a usage error is JSON too where JSON was asked for', async () => {
  const { exitCode, stdout } = await runMain(['show', '--json']);
  assert.equal(exitCode, EXIT.usage);
  assert.equal((JSON.parse(stdout) as { error: { code: string } }).error.code, 'usage');
});

test('what box.json left behind by a killed box names is not talked to', async (t) => {
  const { manager, space } = await setUp(t, { getStatus: () => STATUS });
  await space.announce({ url: manager.url, pid: 2 ** 30 });
  const { exitCode } = await runMain(['status'], { env: space.env });
  assert.equal(exitCode, EXIT.unreachable);
  assert.deepEqual(manager.requests, []);
});

test('status as JSON is the report, and as text it names site, health, engine and warnings', async (t) => {
  const { manager, space } = await setUp(t, { getStatus: () => STATUS });
  const json = await runMain(['--json', 'status'], { env: space.env });
  assert.equal(json.exitCode, EXIT.ok);
  assert.deepEqual(JSON.parse(json.stdout), STATUS);
  assert.equal(manager.requests[0]?.headers.authorization, 'Bearer the-admin-token');
  const text = await runMain(['status'], { env: space.env });
  assert.match(
    text.stdout,
    /blog\s+dev\s+✓ healthy\s+http:\/\/127\.0\.0\.1:8080\s+rel_0123456789\s+template/,
  );
  assert.match(text.stdout, /! there is no sandbox/);
  assert.ok(!text.stdout.includes('\u001b'), 'no colours in a pipe');
});

test('DBOX_TOKEN goes before the token of the workspace', async (t) => {
  const { manager, space } = await setUp(t, { getStatus: () => STATUS });
  await runMain(['status'], { env: { ...space.env, DBOX_TOKEN: 'mine' } });
  assert.equal(manager.requests[0]?.headers.authorization, 'Bearer mine');
});

test('a refused token ends with 4 and says which variable holds the right one', async (t) => {
  const { space } = await setUp(t, {
    getStatus: () => {
      throw new ProblemError('unauthenticated', 'the token is unknown');
    },
  });
  const { exitCode, stderr } = await runMain(['status'], { env: space.env });
  assert.equal(exitCode, EXIT.notAuthorised);
  assert.match(stderr, /DBOX_TOKEN/);
});

test('something else that listens on the port of a box is told from a box', async (t) => {
  const { exitCode, stderr } = await runMain([
    'status',
    '--host',
    (await setUp(t, { getStatus: () => new RawAnswer('<html>') })).manager.url,
  ]);
  assert.equal(exitCode, EXIT.unreachable);
  assert.match(stderr, /cannot be reached/);
});

test('show finds out by the id what it shows', async (t) => {
  const { space } = await setUp(t, {
    getStory: () => DELIVERED,
    getTask: () => TASK_DETAIL,
    listReleases: () => ({ releases: [release({})] }),
  });
  const story = await runMain(['show', STORY_ID, '--json'], { env: space.env });
  assert.deepEqual(JSON.parse(story.stdout), DELIVERED);
  const found = await runMain(['show', 'rel_0123456789', '--json'], { env: space.env });
  assert.equal((JSON.parse(found.stdout) as { id: string }).id, 'rel_0123456789');
  const gone = await runMain(['show', 'rel_9999999999'], { env: space.env });
  assert.equal(gone.exitCode, EXIT.failed);
  const task = await runMain(['show', 'task-001', '--json'], { env: space.env });
  assert.deepEqual(JSON.parse(task.stdout), TASK_DETAIL);
});

test('a task is shown with its verdicts, its engine, and without the escapes of its output', async (t) => {
  const { space } = await setUp(t, { getTask: () => TASK_DETAIL });
  const { stdout } = await runMain(['show', 'task-001'], { env: space.env });
  assert.match(stdout, /Attempt 1 {2}✗ failed/);
  assert.match(stdout, /✗ \.\/run-tests\.sh: exit code 1$/m);
  assert.match(stdout, /not ok 4 the feed/);
  assert.match(stdout, /no model is configured; this was built from a template/);
  assert.ok(!stdout.includes('owned'));
});

test('lists are passed on as JSON and narrowed by project and limit', async (t) => {
  const { manager, space } = await setUp(t, { listTasks: () => ({ tasks: [TASK] }) });
  const { stdout } = await runMain(['tasks', '--json', '--project', 'blog', '--limit', '5'], {
    env: space.env,
  });
  assert.deepEqual(JSON.parse(stdout), { tasks: [TASK] });
  assert.equal(manager.requests[0]?.query.get('project'), 'blog');
  assert.equal(manager.requests[0]?.query.get('limit'), '5');
});

test('an empty list says so on stderr and nothing on stdout', async (t) => {
  const { space } = await setUp(t, { listReleases: () => ({ releases: [] }) });
  const { exitCode, stdout, stderr } = await runMain(['releases'], { env: space.env });
  assert.deepEqual([exitCode, stdout, stderr], [EXIT.ok, '', 'No releases yet.\n']);
});

test('events are one JSON object a line, page after page', async (t) => {
  const { manager, space } = await setUp(t);
  for (let i = 0; i < 1500; i += 1) manager.emit({ type: 'task.created', subject: `task/t-${i}` });
  const { exitCode, stdout } = await runMain(['events', '--json', '--after', '10'], { env: space.env });
  assert.equal(exitCode, EXIT.ok);
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    lines.map((line) => line.seq),
    Array.from({ length: 1490 }, (_, i) => i + 11),
  );
  assert.deepEqual(Object.keys(lines[0] ?? {}), ['seq', 'at', 'actor', 'type', 'subject', 'data', 'hash']);
});

test('a broken hash chain ends with 1 and says where', async (t) => {
  const { space } = await setUp(t, {
    verifyEvents: () => ({ ok: false, count: 9, headSeq: 9, headHash: 'x', problem: 'event 4 was changed' }),
  });
  const { exitCode, stdout } = await runMain(['events', 'verify'], { env: space.env });
  assert.equal(exitCode, EXIT.failed);
  assert.match(stdout, /event 4 was changed/);
});

test('events -f goes on across a restart on another port without a gap, and Ctrl-C ends it with 0', async (t) => {
  const { manager, space } = await setUp(t);
  manager.emit({ type: 'story.received', subject: 'story/a' });
  const running = startMain(['events', '-f', '--json'], { env: space.env });
  await manager.seen('streamEvents');
  manager.emit({ type: 'story.planning', subject: 'story/b' });
  await running.said('story/b', 'stdout');
  await manager.close();
  await running.said('The box does not answer');
  const second = await startFakeManager();
  t.after(second.close);
  for (const subject of ['story/a', 'story/b', 'story/c']) second.emit({ type: 'story.planning', subject });
  await space.announce({ url: second.url });
  await running.said('story/c', 'stdout');
  running.child.kill('SIGINT');
  const { exitCode, stdout } = await running.ended;
  assert.equal(exitCode, EXIT.ok);
  assert.deepEqual(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { seq: number }).seq),
    [1, 2, 3],
  );
});

test('logs -f prints what comes, makes it harmless, and ends when nothing more will come', async (t) => {
  const line = (text: string) => ({
    at: '2026-01-02T03:04:05.678Z',
    stream: 'stdout' as const,
    text,
    source: 'job',
  });
  const pages = [
    { lines: [line('one \u001b[2Jwiped')], next: 'c1', ended: false },
    { lines: [], next: 'c1', ended: false },
    { lines: [line('two')], next: 'c2', ended: false },
    { lines: [], next: 'c2', ended: true },
  ];
  const { manager, space } = await setUp(t, { readLogs: () => pages.shift()! });
  const { exitCode, stdout } = await runMain(['logs', 'task-001', '-f'], { env: space.env });
  assert.equal(exitCode, EXIT.ok);
  assert.equal(stdout, '03:04:05.678 job one wiped\n03:04:05.678 job two\n');
  assert.deepEqual(
    manager.requests.map((request) => request.query.get('after')),
    [null, 'c1', 'c1', 'c2'],
  );
});

test('what a service wrote as JSON is told in words', async (t) => {
  const text = '{"level":"warn","message":"a beat failed","kind":"coding","tries":2}';
  const line = { at: '2026-01-02T03:04:05.678Z', stream: 'agent' as const, text, source: 'coding' };
  const { space } = await setUp(t, {
    readLogs: ({ query }) => ({ lines: query.has('after') ? [] : [line], next: 'c', ended: true }),
  });
  const { stdout } = await runMain(['logs', 'coding'], { env: space.env });
  assert.equal(stdout, '03:04:05.678 coding warn a beat failed kind=coding tries=2\n');
  const json = await runMain(['logs', 'coding', '--json'], { env: space.env });
  assert.equal((JSON.parse(json.stdout) as { text: string }).text, text);
});

test('--version is understood as well as version', async (t) => {
  const { space } = await setUp(t, {});
  const { exitCode, stdout } = await runMain(['--version'], { env: space.env });
  assert.equal(exitCode, EXIT.ok);
  assert.match(stdout, /^dbox \d+\.\d+\.\d+\n$/);
});

test('a log without a line says so on stderr', async (t) => {
  const { space } = await setUp(t, { readLogs: () => ({ lines: [], next: 'c', ended: false }) });
  const { exitCode, stdout, stderr } = await runMain(['logs', 'coding'], { env: space.env });
  assert.deepEqual([exitCode, stdout, stderr], [EXIT.ok, '', 'Nothing was printed yet.\n']);
});

test('a diff in a pipe is what the box sent, byte for byte', async (t) => {
  const patch = 'diff --git a/x b/x\n+caf\u00e9 \u001b[31m\r\n';
  const { manager, space } = await setUp(t, { getTaskDiff: () => new RawAnswer(patch) });
  const { stdout } = await runMain(['diff', 'task-001', '--attempt', '2'], { env: space.env });
  assert.equal(stdout, patch);
  assert.equal(manager.requests[0]?.query.get('attempt'), '2');
});

test('rollback needs --project only where there are several', async (t) => {
  const project = { createdAt: TASK.createdAt, mainCommit: COMMIT, origin: 'story' as const, urls: {} };
  const projects = [{ ...project, name: 'blog' }];
  const { manager, space } = await setUp(t, {
    listProjects: () => ({ projects }),
    rollBack: () => ({ from: release({}), to: release({ id: 'rel_1111111111' }) }),
  });
  const one = await runMain(['rollback'], { env: space.env });
  assert.deepEqual([one.exitCode, one.stdout], [EXIT.ok, 'rel_1111111111\n']);
  projects.push({ ...project, name: 'shop' });
  const two = await runMain(['rollback'], { env: space.env });
  assert.equal(two.exitCode, EXIT.usage);
  assert.match(two.stderr, /several projects: blog, shop/);
  assert.equal(manager.requests.filter((request) => request.operation === 'rollBack').length, 1);
});

test('rollback to a release finds its project and environment by itself', async (t) => {
  const { manager, space } = await setUp(t, {
    listReleases: () => ({ releases: [release({ project: 'shop' })] }),
    rollBack: () => ({ from: release({}), to: release({}) }),
  });
  await runMain(['rollback', 'rel_0123456789'], { env: space.env });
  const asked = manager.requests.at(-1);
  assert.equal(asked?.params.project, 'shop');
  assert.deepEqual(JSON.parse(String(asked?.body)), { environment: 'dev', releaseId: 'rel_0123456789' });
});

test('removing a project needs a yes, and without a terminal that is -y', async (t) => {
  const { manager, space } = await setUp(t, { removeProject: () => undefined });
  const asked = await runMain(['project', 'remove', 'blog'], { env: space.env, input: 'y\n' });
  assert.equal(asked.exitCode, EXIT.usage);
  assert.match(asked.stderr, /Give it with -y/);
  assert.deepEqual(manager.requests, []);
  const sure = await runMain(['project', 'remove', 'blog', '-y', '--json'], { env: space.env });
  assert.deepEqual(JSON.parse(sure.stdout), { removed: 'blog' });
});

test('a port that is none is a usage error of its variable', async () => {
  const { exitCode, stderr } = await runMain(['status'], { env: { DBOX_PORT: 'many' } });
  assert.equal(exitCode, EXIT.usage);
  assert.match(stderr, /DBOX_PORT is "many"/);
});

test('doctor gives every line an outcome and fails where something is in the way', async (t) => {
  const space = await makeWorkspace();
  t.after(space.remove);
  await writeFile(join(space.dir, 'secrets', 'viewer.token'), 'x', { mode: 0o644 });
  const { exitCode, stdout } = await runMain(['doctor', '--json'], { env: { ...space.env, DBOX_PORT: '0' } });
  const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: { name: string; outcome: string }[] };
  assert.deepEqual([exitCode, ok], [EXIT.failed, false]);
  const outcomes = Object.fromEntries(checks.map((check) => [check.name, check.outcome]));
  assert.deepEqual([outcomes.node, outcomes.tokens, outcomes.model], ['ok', 'fail', 'warn']);
});
