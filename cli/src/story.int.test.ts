import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { StoryReport, SubmitStory } from '@dbox/contracts';
import { ProblemError } from '@dbox/contracts';
import { EXIT } from './exit-codes.ts';
import type { FakeManager, Handlers } from './testing/fake-manager.ts';
import { HANG_UP, startFakeManager } from './testing/fake-manager.ts';
import type { TestWorkspace } from './testing/run-main.ts';
import { makeWorkspace, runMain, startMain } from './testing/run-main.ts';
import { DELIVERED, STORY_ID, storyReport } from './testing/sample-answers.ts';

const SUBMITTED = {
  story: {
    id: STORY_ID,
    project: 'blog',
    text: 'Develop and run a blog site',
    status: 'received' as const,
    reason: null,
    taskIds: [],
    createdAt: '2026-01-02T03:04:05.678Z',
    updatedAt: '2026-01-02T03:04:05.678Z',
  },
  project: { name: 'blog', created: true },
};

async function setUp(
  t: TestContext,
  handlers: Handlers,
): Promise<{ manager: FakeManager; space: TestWorkspace }> {
  const manager = await startFakeManager({ submitStory: () => SUBMITTED, ...handlers });
  const space = await makeWorkspace();
  await space.announce({ url: manager.url });
  t.after(async () => {
    await manager.close();
    await space.remove();
  });
  return { manager, space };
}

const submissions = (manager: FakeManager) =>
  manager.requests.filter((request) => request.operation === 'submitStory');

test('run ends with the address as the only line on stdout and says how it came about on stderr', async (t) => {
  let report: StoryReport = storyReport({});
  const { manager, space } = await setUp(t, { getStory: () => report });
  const running = startMain(['run', 'Develop', 'and run a blog site'], { env: space.env });
  await manager.seen('streamEvents');
  await running.said('task-001 coding');
  report = storyReport({ task: { status: 'complete' } });
  manager.emit({
    type: 'job.progress',
    subject: 'job/job_0123456789',
    data: { action: 'running the tests', task: 'task-001' },
  });
  await running.said('task-001 running the tests');
  report = DELIVERED;
  manager.emit({ type: 'story.delivered', subject: `story/${STORY_ID}` });
  const { exitCode, stdout, stderr } = await running.ended;
  assert.equal(exitCode, EXIT.ok);
  assert.equal(stdout, 'http://127.0.0.1:8080\n');
  assert.match(stderr, /new project blog/);
  assert.match(stderr, /\d\d:\d\d:\d\d task-001 live/);
  assert.match(stderr, /no model is configured; this was built from a template/);
  assert.deepEqual(JSON.parse(String(submissions(manager)[0]?.body)), {
    text: 'Develop and run a blog site',
  });
});

test('run --json prints the report and nothing else on stdout', async (t) => {
  const { space } = await setUp(t, { getStory: () => DELIVERED });
  const { exitCode, stdout } = await runMain(['run', 'a blog', '--json'], { env: space.env });
  assert.equal(exitCode, EXIT.ok);
  assert.deepEqual(JSON.parse(stdout), DELIVERED);
});

test('the exit code says how the story ended', async (t) => {
  let report = DELIVERED;
  const { space } = await setUp(t, { getStory: () => report });
  for (const [status, expected] of [
    ['failed', EXIT.failed],
    ['blocked', EXIT.waits],
    ['cancelled', EXIT.usage],
  ] as const) {
    report = storyReport({ status, reason: 'because', task: { status: 'failed', reason: 'tests failed' } });
    const { exitCode, stdout, stderr } = await runMain(['story', '--follow', STORY_ID], { env: space.env });
    assert.equal(exitCode, expected, status);
    assert.equal(stdout, '');
    assert.match(stderr, new RegExp(`The story is ${status}: because`));
    assert.match(stderr, /dbox retry st_0123456789/);
  }
});

test('what went wrong is said once, also with -q', async (t) => {
  const reason = 'no attempts left: exit 1';
  const failed = storyReport({
    status: 'failed',
    reason: `task task-001 failed: ${reason}`,
    task: { status: 'failed', reason },
  });
  const { space } = await setUp(t, { getStory: () => failed });
  const { exitCode, stdout, stderr } = await runMain(['run', 'A blog', '-q'], { env: space.env });
  assert.deepEqual([exitCode, stdout], [EXIT.failed, '']);
  assert.match(stderr, /^✗ The story is failed: task task-001 failed: no attempts left: exit 1 \(.*\)\.\n$/);
});

test('what is wrong with the request itself is said once, not as a place in a file', async (t) => {
  const message = '1 to 48 of a-z';
  const where = {
    file: 'body',
    code: 'invalid_request',
    line: 1,
    column: 1,
    path: 'project',
    hint: '',
    severity: 'error',
  } as const;
  const { space } = await setUp(t, {
    submitStory: () => {
      throw new ProblemError('invalid_request', `wrong: ${message}`, { findings: [{ ...where, message }] });
    },
  });
  const { exitCode, stderr } = await runMain(['story', 'A blog', '--project', '../a'], { env: space.env });
  assert.deepEqual([exitCode, stderr], [EXIT.usage, `dbox: wrong: ${message}\n`]);
});

test('a mistyped id of a story is not taken for a story', async (t) => {
  const { manager, space } = await setUp(t, {
    getStory: () => {
      throw new ProblemError('not_found', 'there is no story st_oops');
    },
  });
  const { exitCode, stderr } = await runMain(['story', '--follow', 'st_oops'], { env: space.env });
  assert.equal(exitCode, EXIT.failed);
  assert.match(stderr, /there is no story st_oops/);
  assert.deepEqual(submissions(manager), []);
});

test('a lost reply is asked for again with the same key, so there is one story', async (t) => {
  let calls = 0;
  const { manager, space } = await setUp(t, {
    submitStory: () => {
      calls += 1;
      return calls < 3 ? HANG_UP : SUBMITTED;
    },
    getStory: () => DELIVERED,
  });
  const { exitCode } = await runMain(['run', 'a blog'], { env: space.env });
  assert.equal(exitCode, EXIT.ok);
  const keys = submissions(manager).map((request) => request.headers['idempotency-key']);
  assert.equal(keys.length, 3);
  assert.equal(new Set(keys).size, 1);
  assert.ok(String(keys[0]).length >= 16);
});

test('a box that dies under the submission and does not come back is told as such', async (t) => {
  const { manager, space } = await setUp(t, {});
  manager.handlers.submitStory = async (): Promise<typeof HANG_UP> => {
    await space.announce({ url: manager.url, pid: 2 ** 30 });
    return HANG_UP;
  };
  const { exitCode, stderr } = await runMain(['story', 'a blog'], { env: space.env });
  assert.equal(exitCode, EXIT.unreachable);
  assert.match(stderr, /went away while the story was submitted[\s\S]*dbox status/);
});

test('two runs have two keys', async (t) => {
  const { manager, space } = await setUp(t, { getStory: () => DELIVERED });
  await runMain(['run', 'a blog'], { env: space.env });
  await runMain(['run', 'a blog'], { env: space.env });
  assert.equal(new Set(submissions(manager).map((request) => request.headers['idempotency-key'])).size, 2);
});

test('Ctrl-C detaches, cancels nothing, and says how to attach again', async (t) => {
  const { manager, space } = await setUp(t, { getStory: () => storyReport({}) });
  const running = startMain(['run', 'a blog'], { env: space.env });
  await running.said('task-001 coding');
  running.child.kill('SIGINT');
  const { exitCode, stderr, stdout } = await running.ended;
  assert.equal(exitCode, EXIT.usage);
  assert.equal(stdout, '');
  assert.match(stderr, /the story goes on in the box.*`\.\/dbox story --follow st_0123456789`/);
  assert.ok(!manager.requests.some((request) => request.operation === 'cancelStory'));
});

test('a restart of the box in the middle is survived and said', async (t) => {
  const { manager, space } = await setUp(t, { getStory: () => storyReport({}) });
  const running = startMain(['run', 'a blog'], { env: space.env });
  await running.said('task-001 coding');
  await manager.close();
  await running.said('The box does not answer');
  const second = await startFakeManager({ getStory: () => DELIVERED });
  t.after(second.close);
  await space.announce({ url: second.url });
  const { exitCode, stdout, stderr } = await running.ended;
  assert.deepEqual([exitCode, stdout], [EXIT.ok, 'http://127.0.0.1:8080\n']);
  assert.match(stderr, /The box is back/);
});

test('where the event stream cannot be had the story is polled', async (t) => {
  let calls = 0;
  const { space } = await setUp(t, {
    getStory: () => {
      calls += 1;
      return calls < 3 ? storyReport({}) : DELIVERED;
    },
    listEvents: () => {
      throw new ProblemError('internal', 'no events today');
    },
  });
  const { exitCode } = await runMain(['run', 'a blog'], { env: space.env });
  assert.equal(exitCode, EXIT.ok);
});

test('an empty story is refused before a box is started', async (t) => {
  const space = await makeWorkspace();
  t.after(space.remove);
  const { exitCode, stderr } = await runMain(['run', '  '], { env: space.env });
  assert.equal(exitCode, EXIT.usage);
  assert.match(stderr, /The story is empty/);
});

test('a story may come from standard input', async (t) => {
  const { manager, space } = await setUp(t, {});
  const { exitCode, stdout } = await runMain(['story', '-', '--project', 'shop'], {
    env: space.env,
    input: 'Add an imprint\n',
  });
  assert.deepEqual([exitCode, stdout], [EXIT.ok, `${STORY_ID}\n`]);
  assert.deepEqual(JSON.parse(String(submissions(manager)[0]?.body)), {
    text: 'Add an imprint',
    project: 'shop',
  });
});

test('findings of the box are told with file, line, column and what to write instead', async (t) => {
  const finding = {
    code: 'unknown_dependency',
    severity: 'error' as const,
    file: 'a.yaml',
    line: 3,
    column: 5,
    path: 'depends_on[0]',
    message: 'there is no task "task-9"',
    hint: 'write task-1',
  };
  const { space } = await setUp(t, {
    submitStory: () => {
      throw new ProblemError('invalid_spec', 'the task spec is not valid', { findings: [finding] });
    },
  });
  const { exitCode, stdout, stderr } = await runMain(['story', 'x', '--json'], { env: space.env });
  assert.equal(exitCode, EXIT.usage);
  assert.match(stderr, /a\.yaml:3:5: error: there is no task "task-9" \(depends_on\[0\]\)\n {2}write task-1/);
  assert.deepEqual((JSON.parse(stdout) as { error: { findings: unknown } }).error.findings, [finding]);
});

const SCRIPTED = `id: task-001
title: Scripted
owner: manager
priority: high
inputs:
  - type: scripted
    attempts: [first, second.patch]
acceptance:
  - run: "true"
`;

test('the attempts of a scripted spec are sent along under the words of the spec', async (t) => {
  const { manager, space } = await setUp(t, {});
  await mkdir(join(space.dir, 'first'));
  await writeFile(join(space.dir, 'first', 'index.html'), '<h1>hi</h1>');
  await writeFile(join(space.dir, 'second.patch'), 'diff');
  await writeFile(join(space.dir, 'a.yaml'), SCRIPTED);
  const { exitCode } = await runMain(['story', '-f', 'a.yaml'], { env: space.env, cwd: space.dir });
  assert.equal(exitCode, EXIT.ok);
  const body = JSON.parse(String(submissions(manager)[0]?.body)) as SubmitStory;
  assert.equal(body.documents?.[0]?.file, 'a.yaml');
  assert.equal(body.documents?.[0]?.yaml, SCRIPTED);
  assert.deepEqual(
    body.documents?.[0]?.attachments.map(({ attempt, kind, files }) => [attempt, kind, files[0]?.path]),
    [
      ['first', 'directory', 'index.html'],
      ['second.patch', 'patch', 'second.patch'],
    ],
  );
});

test('an attempt that does not exist is told with its line, and nothing is submitted', async (t) => {
  const { manager, space } = await setUp(t, {});
  await writeFile(join(space.dir, 'a.yaml'), SCRIPTED);
  const { exitCode, stderr } = await runMain(['story', '-f', 'a.yaml'], { env: space.env, cwd: space.dir });
  assert.equal(exitCode, EXIT.usage);
  assert.match(stderr, /a\.yaml:7:16: error: the attempt "first" does not exist/);
  assert.match(stderr, /a\.yaml:7:23: error: the attempt "second\.patch" does not exist/);
  assert.deepEqual(manager.requests, []);
});

test('spec validate needs no box, tells every finding, and ends with 2 where one is an error', async (t) => {
  const space = await makeWorkspace();
  t.after(space.remove);
  await writeFile(join(space.dir, 'good.yaml'), SCRIPTED);
  await writeFile(join(space.dir, 'bad.yaml'), 'id: [1\n');
  const options = { env: space.env, cwd: space.dir };
  const good = await runMain(['spec', 'validate', 'good.yaml'], options);
  assert.deepEqual([good.exitCode, good.stdout], [EXIT.ok, '✓ 1 task spec is valid.\n']);
  const bad = await runMain(['spec', 'validate', 'good.yaml', 'bad.yaml'], options);
  assert.equal(bad.exitCode, EXIT.usage);
  assert.match(bad.stdout, /^bad\.yaml:\d+:\d+: error: /m);
  const gone = await runMain(['spec', 'validate', 'gone.yaml'], options);
  assert.deepEqual([gone.exitCode, /gone\.yaml does not exist/.test(gone.stderr)], [EXIT.usage, true]);
});

test('specs that depend on each other across files are checked together', async (t) => {
  const space = await makeWorkspace();
  t.after(space.remove);
  const options = { env: space.env, cwd: space.dir };
  await writeFile(join(space.dir, 'a.yaml'), `${SCRIPTED}depends_on: [task-002]\n`);
  await writeFile(join(space.dir, 'b.yaml'), SCRIPTED.replace('task-001', 'task-002'));
  assert.equal((await runMain(['spec', 'validate', 'a.yaml'], options)).exitCode, EXIT.usage);
  assert.equal((await runMain(['spec', 'validate', 'a.yaml', 'b.yaml'], options)).exitCode, EXIT.ok);
});
