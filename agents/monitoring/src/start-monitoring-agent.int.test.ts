import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { FakeManager } from '@dbox/agent-sdk/testing';
import { createManualClock, startFakeManager } from '@dbox/agent-sdk/testing';
import type { Check, Criterion, HttpCriterion, LogLine, Watch } from '@dbox/contracts';
import { startMonitoringAgent } from './index.ts';

const RELEASE = 'rel_0000000001';

const http = (parts: Partial<HttpCriterion>): HttpCriterion => ({
  kind: 'http',
  path: '/',
  method: 'GET',
  headers: {},
  body: null,
  statuses: [200],
  contains: [],
  matches: [],
  json: {},
  maxLatencyMs: null,
  ...parts,
});
const check = (digit: string, criterion: Criterion): Check => ({
  id: `chk_${digit.repeat(12)}`,
  project: 'demo',
  taskId: 'task-001',
  criterion,
  status: 'live',
});
const line = (text: string, stream: LogLine['stream'] = 'stdout'): LogLine => ({
  at: '2026-01-02T03:04:05.678Z',
  stream,
  text,
});

interface Box {
  readonly manager: FakeManager;
  readonly port: number;
  readonly watch: (parts: Partial<Watch>) => Watch;
  /** Lets time go on, in steps and only while nobody waits for an answer, until `look` finds something. */
  until<T>(look: () => T | null | undefined): Promise<T>;
  /** The results of the n-th report that arrived. */
  report(n: number): Promise<Record<string, { ok: boolean; detail: string }>>;
}

/** An agent with held time, a fake manager, and a release that answers as `listener` does. */
async function startBox(context: TestContext, listener: RequestListener): Promise<Box> {
  let askedCount = 0;
  const server = createServer((request, response) => {
    askedCount += 1;
    request.socket.once('close', () => {
      askedCount -= 1;
    });
    listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const manager = await startFakeManager();
  const stateDir = await mkdtemp(join(tmpdir(), 'dbox-monitoring-'));
  const clock = createManualClock();
  const agent = await startMonitoringAgent({
    managerUrl: manager.url,
    token: manager.token,
    stateDir,
    name: 'monitoring',
    version: '0.1.0',
    clock,
  });
  context.after(async () => {
    await agent.stop({ graceMs: 0 });
    await manager.stop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(stateDir, { recursive: true });
  });
  const isBusy = () =>
    askedCount > 0 ||
    manager.calls.some(
      ({ operation, status }) => status === null && (operation === 'reportWatch' || operation === 'readLogs'),
    );
  const until: Box['until'] = async (look) => {
    for (;;) {
      const found = look();
      if (found !== null && found !== undefined) return found;
      await turn();
      if (!isBusy()) clock.advance(200);
    }
  };
  return {
    manager,
    port,
    watch: (parts) => ({
      project: 'demo',
      environment: 'dev',
      releaseId: RELEASE,
      port,
      checks: [],
      intervalMs: 10_000,
      ...parts,
    }),
    until,
    async report(n) {
      const { results } = await until(() => manager.watchReports[n - 1]);
      return Object.fromEntries(results.map(({ id, ok, detail }) => [id, { ok, detail }]));
    },
  };
}

test('a new watch is reported at once, every check by its id, through the address of the gateway', async (context) => {
  const hosts: unknown[] = [];
  const box = await startBox(context, (request, response) => {
    hosts.push(request.headers.host);
    response.writeHead(request.url === '/gone' ? 404 : 200).end('hello');
  });
  box.manager.setTopology({
    watches: [
      box.watch({
        checks: [
          check('a', http({ contains: ['hello'] })),
          check('b', http({ path: '/gone' })),
          check('c', { kind: 'command', run: 'true', exitCode: 0 }),
        ],
      }),
    ],
  });
  const report = await box.report(1);
  assert.deepEqual(Object.keys(report), ['chk_aaaaaaaaaaaa', 'chk_bbbbbbbbbbbb']);
  assert.equal(report.chk_aaaaaaaaaaaa?.ok, true);
  assert.equal(report.chk_bbbbbbbbbbbb?.ok, false);
  assert.match(report.chk_bbbbbbbbbbbb?.detail ?? '', /404/);
  assert.deepEqual(new Set(hosts), new Set(['devsite:8080']));
});

test('a release without a check by address is asked whether it answers at all', async (context) => {
  let status = 404;
  const box = await startBox(context, (_, response) => {
    response.writeHead(status).end();
  });
  box.manager.setTopology({ watches: [box.watch({})] });
  assert.equal((await box.report(1)).reachable?.ok, true);
  status = 503;
  const second = await box.report(2);
  assert.equal(second.reachable?.ok, false);
  assert.match(second.reachable?.detail ?? '', /server error/);
});

test('a release that does not answer is a failed check with a reason', async (context) => {
  const box = await startBox(context, (request) => void request.socket.destroy());
  box.manager.setTopology({ watches: [box.watch({})] });
  const { reachable } = await box.report(1);
  assert.equal(reachable?.ok, false);
  assert.match(reachable?.detail ?? '', /no answer/);
});

test('log checks see each line once, from the start of the release', async (context) => {
  const box = await startBox(context, (_, response) => void response.end('ok'));
  const noErrors = check('a', { kind: 'log', mustNotMatch: 'ERROR' });
  box.manager.addLogLines(RELEASE, [line('starting'), line('ERROR 1', 'stderr')]);
  box.manager.setTopology({ watches: [box.watch({ checks: [noErrors] })] });
  const first = await box.report(1);
  assert.equal(first[noErrors.id]?.ok, false);
  assert.match(first[noErrors.id]?.detail ?? '', /ERROR 1/);
  assert.equal(first.reachable?.ok, true);

  box.manager.addLogLines(RELEASE, [line('fine'), line('ERROR is what the agent says', 'agent')]);
  assert.equal((await box.report(2))[noErrors.id]?.ok, true);

  box.manager.addLogLines(RELEASE, [line('ERROR 2')]);
  assert.match((await box.report(3))[noErrors.id]?.detail ?? '', /ERROR 2/);
});

test('output that cannot be read is no news, and is read in the next round', async (context) => {
  const box = await startBox(context, (_, response) => void response.end('ok'));
  const noErrors = check('a', { kind: 'log', mustNotMatch: 'ERROR' });
  box.manager.addLogLines(RELEASE, [line('ERROR 1')]);
  box.manager.fail('readLogs', { kind: 'garbage' });
  box.manager.setTopology({ watches: [box.watch({ checks: [noErrors] })] });
  assert.deepEqual(Object.keys(await box.report(1)), ['reachable']);
  assert.equal((await box.report(2))[noErrors.id]?.ok, false);
});

test('what a report that was refused said of the output is said again', async (context) => {
  const box = await startBox(context, (_, response) => void response.end('ok'));
  const noErrors = check('a', { kind: 'log', mustNotMatch: 'ERROR' });
  box.manager.addLogLines(RELEASE, [line('ERROR 1')]);
  box.manager.fail('reportWatch', { kind: 'problem', code: 'conflict' });
  box.manager.setTopology({ watches: [box.watch({ checks: [noErrors] })] });
  assert.equal((await box.report(1))[noErrors.id]?.ok, false);
});

test('a release that takes over is looked at at once and the former one is reported no more', async (context) => {
  const box = await startBox(context, (_, response) => void response.end('ok'));
  box.manager.setTopology({ watches: [box.watch({})] });
  await box.report(1);
  box.manager.setTopology({ watches: [box.watch({ releaseId: 'rel_0000000002' })] });
  const second = await box.until(() => box.manager.watchReports[1]);
  assert.equal(second.releaseId, 'rel_0000000002');
  const third = await box.until(() => box.manager.watchReports[2]);
  assert.equal(third.releaseId, 'rel_0000000002');
});

test('a check job answers every check in order, and says what it could not look at', async (context) => {
  const box = await startBox(context, (_, response) => void response.end('hello'));
  box.manager.addLogLines(RELEASE, [line('ERROR 1')]);
  const checks = [
    check('d', { kind: 'command', run: 'true', exitCode: 0 }),
    check('a', http({ contains: ['hello'] })),
    check('b', http({ contains: ['good bye'] })),
    check('c', { kind: 'log', mustNotMatch: 'ERROR' }),
  ];
  box.manager.setTopology({
    routes: [{ project: 'demo', environment: 'dev', port: box.port, releaseId: RELEASE, target: null }],
  });
  const outcomes = async (releaseId: string) => {
    const result = await box.manager.enqueue({ kind: 'check', releaseId, checks }).finished;
    return result.kind === 'check' ? result.checks.map(({ id, outcome }) => `${id[4]} ${outcome}`) : [];
  };
  assert.deepEqual(await outcomes(RELEASE), ['d could_not_run', 'a passed', 'b failed', 'c failed']);
  assert.deepEqual(await outcomes('rel_0000000009'), [
    'd could_not_run',
    'a could_not_run',
    'b could_not_run',
    'c passed',
  ]);
});

test('a manager that restarts is followed again, and watches go on', async (context) => {
  const box = await startBox(context, (_, response) => void response.end('ok'));
  box.manager.setTopology({ watches: [box.watch({})] });
  await box.report(1);
  await box.manager.restart();
  box.manager.setTopology({ watches: [box.watch({ releaseId: 'rel_0000000002' })] });
  await box.until(() => box.manager.watchReports.find(({ releaseId }) => releaseId === 'rel_0000000002'));
});

test('without a watch nothing but the long polls is asked', async (context) => {
  const box = await startBox(context, (_, response) => void response.end('ok'));
  let turns = 0;
  await box.until(() => (++turns > 500 ? turns : null));
  const asked = new Set(box.manager.calls.map(({ operation }) => operation));
  for (const operation of ['registerAgent', 'leaseJob', 'followTopology', 'sendAgentLogs'] as const)
    asked.delete(operation);
  assert.deepEqual(asked, new Set());
});

test('a report that does not get through is repeated, without asking the release again', async (context) => {
  let askedCount = 0;
  const box = await startBox(context, (_, response) => {
    askedCount += 1;
    response.end('ok');
  });
  box.manager.fail('reportWatch', { kind: 'garbage' });
  box.manager.fail('reportWatch', { kind: 'problem', code: 'store_unavailable' });
  box.manager.setTopology({ watches: [box.watch({})] });
  await box.report(1);
  assert.equal(askedCount, 1);
});

test('a report that never gets through is given up, and the rounds go on', async (context) => {
  let askedCount = 0;
  const box = await startBox(context, (_, response) => {
    askedCount += 1;
    response.end('ok');
  });
  box.manager.fail('reportWatch', { kind: 'garbage' }, 1000);
  box.manager.setTopology({ watches: [box.watch({})] });
  await box.until(() => (askedCount >= 3 ? askedCount : null));
  box.manager.clearFaults();
  await box.report(1);
});
