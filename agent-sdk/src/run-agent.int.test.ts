import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { TestJobResult } from '@dbox/contracts';
import type { AgentOptions, AgentTiming, JobContext, RunningAgent } from './agent.ts';
import { git } from './git.ts';
import { JobFailure } from './job-failure.ts';
import { startAgent } from './run-agent.ts';
import type { FakeJob, FakeManager } from './testing/fake-manager.ts';
import { makeCodePayload, makeTestPayload, startFakeManager } from './testing/fake-manager.ts';

const IDENTITY = {
  GIT_AUTHOR_NAME: 'Test',
  GIT_AUTHOR_EMAIL: 'test@example.invalid',
  GIT_COMMITTER_NAME: 'Test',
  GIT_COMMITTER_EMAIL: 'test@example.invalid',
};
const COMMIT = '1'.repeat(40);
const DONE: TestJobResult = {
  kind: 'test',
  outcome: 'succeeded',
  tests: [],
  checks: [],
  changedTestFiles: [],
};
/** Beats often enough that tests need not wait; a lease lasts so long that only an answer can end it. */
const QUICK: Partial<AgentTiming> = {
  heartbeatIntervalMs: 10,
  heartbeatRetryMs: 5,
  leaseDurationMs: 600_000,
  leaseWaitMs: 1_000,
  abortGraceMs: 200,
};

type Handler = (context: JobContext<'test'>) => Promise<TestJobResult>;
interface Box {
  readonly manager: FakeManager;
  readonly agent: RunningAgent;
  readonly stateDir: string;
}

async function startBox(t: TestContext, handler: Handler, more: Partial<AgentOptions> = {}): Promise<Box> {
  const manager = await startFakeManager();
  const stateDir = await makeDir(t);
  const agent = await startTestingAgent(manager, stateDir, handler, more);
  t.after(async () => {
    await agent.stop({ graceMs: 0 });
    await manager.stop();
  });
  return { manager, agent, stateDir };
}

function startTestingAgent(
  manager: { url: string; token: string },
  stateDir: string,
  handler: Handler,
  more: Partial<AgentOptions> = {},
) {
  return startAgent({
    kind: 'testing',
    name: 'tester',
    version: '1.0.0',
    capacity: 1,
    warnings: ['no sandbox'],
    managerUrl: manager.url,
    token: manager.token,
    stateDir,
    handlers: { test: handler },
    timing: QUICK,
    ...more,
  });
}

async function makeDir(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'dbox-agent-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** Resolves when the signal is aborted. */
const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
const callsOf = (manager: FakeManager, operation: string) =>
  manager.calls.filter((call) => call.operation === operation);

test('an agent says who it is, works on a job and sends logs, progress, artifacts and the result', async (t) => {
  const { manager, agent } = await startBox(t, async (context) => {
    await context.progress('looking');
    context.log('stdout', 'first\nsecond\n');
    const file = join(context.scratchDir, 'report.txt');
    await writeFile(file, 'all well');
    await context.uploadArtifact('report.txt', file, 'text/plain');
    return DONE;
  });
  const job = manager.enqueue(makeTestPayload({ commit: COMMIT }));
  assert.deepEqual(await job.finished, DONE);
  assert.equal(manager.agents[0]?.id, agent.agentId);
  assert.deepEqual(manager.agents[0]?.warnings, ['no sandbox']);
  assert.deepEqual(job.progress, [{ action: 'looking' }]);
  assert.deepEqual(
    job.logs.map(({ stream, text }) => [stream, text]),
    [
      ['stdout', 'first'],
      ['stdout', 'second'],
    ],
  );
  assert.equal(job.artifacts.get('report.txt')?.bytes.toString(), 'all well');
  assert.equal(job.artifacts.get('report.txt')?.mediaType, 'text/plain');
});

test('a heartbeat answered with 409 aborts the handler, and nothing is sent after it', async (t) => {
  let ended!: () => void;
  const handlerEnded = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const { manager, agent } = await startBox(t, async (context) => {
    if (context.job.fence > 1) return DONE;
    context.log('stdout', 'before');
    await aborted(context.signal);
    context.log('stdout', 'after');
    await assert.rejects(context.progress('after'));
    await assert.rejects(context.uploadArtifact('x', '/dev/null', 'text/plain'));
    ended();
    return DONE;
  });
  const job = manager.enqueue(makeTestPayload({ commit: COMMIT }));
  await job.logged('before');
  const sentBefore = manager.calls.length;
  job.loseLease();
  await handlerEnded;
  await job.finished;
  await agent.stop();
  assert.equal(job.fence, 2, 'the job was handed out again');
  assert.deepEqual(
    job.logs.map(({ text }) => text),
    ['before'],
  );
  assert.equal(callsOf(manager, 'completeJob').length, 1, 'only the second lease sent a result');
  assert.equal(callsOf(manager, 'reportProgress').length, 0);
  assert.equal(callsOf(manager, 'putArtifact').length, 0);
  assert.ok(
    manager.calls.slice(sentBefore).some((call) => call.operation === 'heartbeatJob' && call.status === 409),
  );
});

test('a job that the manager cancels is aborted and sends nothing', async (t) => {
  let reason: unknown = null;
  const { manager, agent } = await startBox(t, async (context) => {
    await aborted(context.signal);
    reason = context.signal.reason;
    return DONE;
  });
  const job = manager.enqueue(makeTestPayload({ commit: COMMIT }));
  await job.leased();
  job.cancel();
  await manager.until(() => callsOf(manager, 'leaseJob')[1]);
  await agent.stop();
  assert.match(String(reason), /cancelled/);
  assert.equal(callsOf(manager, 'completeJob').length, 0);
});

test('a lease that no answer extends counts as gone by its own end', async (t) => {
  const never = new Promise<void>(() => undefined);
  let reason: unknown = null;
  const { manager, agent } = await startBox(
    t,
    async (context) => {
      await aborted(context.signal);
      reason = context.signal.reason;
      return DONE;
    },
    { timing: { ...QUICK, leaseDurationMs: 100 } },
  );
  manager.fail('heartbeatJob', { kind: 'hold', release: never }, 1_000);
  const job = manager.enqueue(makeTestPayload({ commit: COMMIT }));
  await job.leased();
  await manager.until(() => callsOf(manager, 'leaseJob')[1]);
  await agent.stop();
  assert.match(String(reason), /whole lease/);
  assert.equal(callsOf(manager, 'completeJob').length, 0);
});

test('a result whose answer was lost is sent again and counts once', async (t) => {
  const { manager, agent } = await startBox(t, async () => DONE);
  manager.fail('completeJob', { kind: 'drop_reply' });
  const job = manager.enqueue(makeTestPayload({ commit: COMMIT }));
  await job.finished;
  await manager.until(() => callsOf(manager, 'completeJob').find((call) => call.status === 200));
  await agent.stop();
  assert.equal(callsOf(manager, 'completeJob').length, 2);
  assert.equal(job.leases.length, 1);
  assert.equal(job.status, 'succeeded');
});

test('a result is sent through errors, cut connections and an answer that is no box', async (t) => {
  const { manager } = await startBox(t, async () => DONE);
  manager.fail('completeJob', { kind: 'problem', code: 'internal' });
  manager.fail('completeJob', { kind: 'problem', code: 'store_unavailable', retryAfterSeconds: 0 });
  manager.fail('completeJob', { kind: 'drop_request' });
  manager.fail('completeJob', { kind: 'garbage' });
  const job = manager.enqueue(makeTestPayload({ commit: COMMIT }));
  await job.finished;
  assert.equal(callsOf(manager, 'completeJob').length, 5);
  assert.equal(job.leases.length, 1);
});

test('a manager that restarts in mid-job finds the job going on and gets its logs and result', async (t) => {
  let goOn!: () => void;
  const restarted = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const { manager, agent } = await startBox(t, async (context) => {
    context.log('stdout', 'before');
    await restarted;
    context.log('stdout', 'while it was away');
    await context.progress('still here');
    return DONE;
  });
  const job = manager.enqueue(makeTestPayload({ commit: COMMIT }));
  await job.logged('before');
  let back!: () => void;
  const restarting = manager.restart(
    new Promise<void>((resolve) => {
      back = resolve;
    }),
  );
  goOn();
  back();
  await restarting;
  assert.deepEqual(await job.finished, DONE);
  assert.equal(job.leases.length, 1);
  assert.ok(await job.logged('while it was away'));
  const next = manager.enqueue(makeTestPayload({ commit: COMMIT }));
  await next.finished;
  assert.equal(manager.agents.length, 1, 'it is still the same agent');
  await agent.stop();
});

test('an agent that starts before its manager waits for it', async (t) => {
  const manager = await startFakeManager();
  t.after(() => manager.stop());
  let back!: () => void;
  const restarting = manager.restart(
    new Promise<void>((resolve) => {
      back = resolve;
    }),
  );
  const starting = startTestingAgent(manager, await makeDir(t), async () => DONE);
  back();
  await restarting;
  const agent = await starting;
  await manager.enqueue(makeTestPayload({ commit: COMMIT })).finished;
  await agent.stop();
});

test('an agent whose token is refused does not start', async (t) => {
  const manager = await startFakeManager();
  t.after(() => manager.stop());
  await assert.rejects(
    startTestingAgent({ url: manager.url, token: 'wrong' }, await makeDir(t), async () => DONE),
    {
      code: 'unauthenticated',
    },
  );
});

test('an agent that the manager has forgotten registers again and goes on', async (t) => {
  const { manager, agent } = await startBox(t, async () => DONE, { timing: { ...QUICK, leaseWaitMs: 20 } });
  const before = agent.agentId;
  manager.forgetAgents();
  await manager.until(() => manager.agents[1]);
  const job = manager.enqueue(makeTestPayload({ commit: COMMIT }));
  await job.finished;
  assert.notEqual(agent.agentId, before);
  assert.equal(job.leases[0]?.job.agentId, agent.agentId);
});

test('a handler that throws fails the job by the host, one that blames the commit by the commit', async (t) => {
  const { manager } = await startBox(t, async ({ payload }) => {
    if (payload.taskId === 'by-commit') throw new JobFailure('commit', 'no such script');
    throw new Error('disk on fire');
  });
  const byHost = manager.enqueue(makeTestPayload({ commit: COMMIT }));
  const byCommit = manager.enqueue(makeTestPayload({ commit: COMMIT, taskId: 'by-commit' }));
  assert.deepEqual(await byHost.finished, {
    kind: 'test',
    outcome: 'failed',
    cause: 'host',
    detail: 'disk on fire',
  });
  assert.deepEqual(await byCommit.finished, {
    kind: 'test',
    outcome: 'failed',
    cause: 'commit',
    detail: 'no such script',
  });
});

test('a result that the manager refuses becomes a failed one instead of a job repeated for ever', async (t) => {
  const { manager } = await startBox(t, async () => ({ ...DONE, tests: 'none' }) as never);
  const job = manager.enqueue(makeTestPayload({ commit: COMMIT }));
  const result = await job.finished;
  assert.equal(result.outcome, 'failed');
  assert.match((result as { detail: string }).detail, /the result was refused/);
});

test('no more jobs are leased than there are slots', async (t) => {
  const gates = new Map<string, () => void>();
  const { manager } = await startBox(
    t,
    async (context) => {
      const gate = new Promise<void>((resolve) => gates.set(context.job.id, resolve));
      await context.progress('waiting');
      await gate;
      return DONE;
    },
    { capacity: 2 },
  );
  const jobs = [1, 2, 3].map(() => manager.enqueue(makeTestPayload({ commit: COMMIT })));
  const [first, second, third] = jobs as [FakeJob, FakeJob, FakeJob];
  const working = (job: FakeJob) => manager.until(() => job.progress[0]);
  await Promise.all([working(first), working(second)]);
  const beats = first.beatCount;
  await manager.until(() => (first.beatCount > beats + 2 ? true : null));
  assert.equal(callsOf(manager, 'leaseJob').length, 2, 'nothing more was asked for');
  gates.get(second.id)?.();
  await second.finished;
  await working(third);
  assert.equal(callsOf(manager, 'leaseJob').length, 3);
  gates.get(first.id)?.();
  gates.get(third.id)?.();
  await Promise.all([first.finished, third.finished]);
});

test('the scratch tree is gone once the result is confirmed, and leftovers at the next start', async (t) => {
  const stateDir = await makeDir(t);
  await mkdir(join(stateDir, 'jobs', 'job_0000000009-1', 'deep'), { recursive: true });
  const manager = await startFakeManager();
  t.after(() => manager.stop());
  let scratchDir = '';
  const agent = await startTestingAgent(manager, stateDir, async (context) => {
    scratchDir = context.scratchDir;
    assert.deepEqual(await readdir(join(stateDir, 'jobs')), [`${context.job.id}-1`]);
    await mkdir(join(scratchDir, 'locked'), { mode: 0o000 });
    return DONE;
  });
  await manager.enqueue(makeTestPayload({ commit: COMMIT })).finished;
  await agent.stop();
  assert.notEqual(scratchDir, '');
  assert.deepEqual(await readdir(join(stateDir, 'jobs')), []);
});

test('stop lets a running job end, and aborts it once the grace is over', async (t) => {
  // Made ahead: a job may be beaten for before its handler has begun.
  const finish = Promise.withResolvers<void>();
  const { manager, agent } = await startBox(t, async (context) => {
    await Promise.race([aborted(context.signal), finish.promise]);
    return DONE;
  });
  const first = manager.enqueue(makeTestPayload({ commit: COMMIT }));
  await manager.until(() => (first.beatCount > 0 ? true : null));
  const stopping = agent.stop({ graceMs: 60_000 });
  finish.resolve();
  await stopping;
  assert.equal(first.status, 'succeeded');

  const other = await startTestingAgent(manager, await makeDir(t), async (context) => {
    await aborted(context.signal);
    return DONE;
  });
  const second = manager.enqueue(makeTestPayload({ commit: COMMIT }));
  await second.leased();
  await other.stop({ graceMs: 0 });
  assert.equal(second.result, null);
});

test('a handler that ignores its abort does not hold the slot for ever', async (t) => {
  const { manager } = await startBox(t, async (context) => {
    if (context.job.fence === 1) await new Promise(() => undefined);
    return DONE;
  });
  const job = manager.enqueue(makeTestPayload({ commit: COMMIT }));
  await job.leased();
  job.loseLease();
  await job.finished;
  assert.equal(job.fence, 2);
});

test('the service log arrives as JSON lines, whatever is logged', async (t) => {
  const { manager, agent } = await startBox(t, async () => DONE);
  const loop: Record<string, unknown> = {};
  loop.loop = loop;
  agent.log('warn', 'something odd', { port: 8080, message: 'not over the fixed fields' });
  agent.log('error', 'unprintable', loop);
  agent.log('info', 'long', { text: 'x'.repeat(100_000) });
  await agent.stop();
  const lines = manager.agentLogs.map(({ at: _, ...line }) => line);
  assert.deepEqual(lines.slice(1), [
    { level: 'warn', message: 'something odd', port: 8080 },
    { level: 'error', message: 'unprintable' },
    { level: 'info', message: 'long' },
  ]);
});

test("the job's commit is laid out exactly, through a cut download", async (t) => {
  let tree = '';
  let head = '';
  let text = '';
  const { manager } = await startBox(t, async (context) => {
    tree = await context.checkOut();
    head = (await git(['rev-parse', 'HEAD'], { cwd: tree })).stdout.trim();
    text = await readFile(join(tree, 'a.txt'), 'utf8');
    return DONE;
  });
  const parent = await manager.repository.commit({ files: { 'a.txt': 'zero' } });
  const commit = await manager.repository.commit({ files: { 'a.txt': 'one' }, parent });
  await manager.repository.commit({ files: { 'a.txt': 'two' }, parent: commit });
  manager.fail('getJobSource', { kind: 'drop_reply' });
  const job = manager.enqueue(makeTestPayload({ commit }));
  assert.deepEqual(await job.finished, DONE);
  assert.equal(head, commit);
  assert.equal(text, 'one');
  assert.match(tree, /src$/);
});

test('a new commit is bundled on top of what the manager has, and confirmed through a cut upload', async (t) => {
  const { manager } = await startBox(t, async () => DONE, {
    kind: 'coding',
    handlers: {
      async code(context) {
        const tree = await context.checkOut();
        await writeFile(join(tree, 'b.txt'), 'new');
        await git(['add', '--all'], { cwd: tree });
        await git(['commit', '--quiet', '-m', 'more'], { cwd: tree, env: IDENTITY });
        const commit = await context.uploadCommit(tree, context.payload.startCommit);
        return { kind: 'code', outcome: 'succeeded', engine: 'template', commit, summary: '' };
      },
    },
  });
  manager.fail('putJobCommit', { kind: 'drop_reply' });
  manager.fail('putJobCommit', { kind: 'problem', code: 'disk_full' });
  const startCommit = await manager.repository.commit({ files: { 'a.txt': 'one' } });
  const job = manager.enqueue(makeCodePayload({ startCommit, mainCommit: startCommit }));
  const result = await job.finished;
  const commit = job.commits.at(-1) ?? '';
  assert.deepEqual([result.outcome, (result as { commit: string }).commit], ['succeeded', commit]);
  assert.deepEqual(await manager.repository.files(commit), { 'a.txt': 'one', 'b.txt': 'new' });

  const inEmpty = manager.enqueue(makeCodePayload());
  await inEmpty.finished;
  assert.deepEqual(await manager.repository.files(inEmpty.commits.at(-1) ?? ''), { 'b.txt': 'new' });
});

test('a bundle that the manager refuses is the fault of the commit', async (t) => {
  const { manager } = await startBox(t, async () => DONE, {
    handlers: {
      async code(context) {
        const tree = await context.checkOut();
        await context.uploadCommit(tree, null);
        return { kind: 'code', outcome: 'succeeded', engine: 'template', commit: COMMIT, summary: '' };
      },
    },
  });
  manager.fail('putJobCommit', { kind: 'problem', code: 'bundle_refused' });
  const startCommit = await manager.repository.commit({ files: { 'a.txt': 'one' } });
  const result = await manager.enqueue(makeCodePayload({ startCommit })).finished;
  assert.deepEqual(result, {
    kind: 'code',
    outcome: 'failed',
    engine: 'template',
    cause: 'commit',
    detail: 'as the test asked',
  });
});
