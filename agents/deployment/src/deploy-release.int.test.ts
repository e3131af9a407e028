import assert from 'node:assert/strict';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { DeployResult } from '@dbox/contracts';
import { get } from './targets/testing/target.testsuite.ts';
import {
  address,
  check,
  desired,
  GOOD_APP,
  openAgentBench,
  RELEASE,
  sandbox,
  unsandboxed,
} from './testing/agent-bench.ts';

const skip = sandbox.missing ?? false;

function succeeded(result: unknown) {
  const deployed = result as DeployResult;
  assert.equal(deployed.outcome, 'succeeded', JSON.stringify(deployed));
  return deployed as Extract<DeployResult, { outcome: 'succeeded' }>;
}

function failed(result: unknown) {
  const deployed = result as DeployResult;
  assert.equal(deployed.outcome, 'failed', JSON.stringify(deployed));
  return deployed as Extract<DeployResult, { outcome: 'failed' }>;
}

test('a release that passes its checks is handed over running', { skip }, async (t) => {
  const { manager, start, payload } = await openAgentBench(t);
  await start();
  const checks = [
    check(address('/', { contains: ['hello'] })),
    check({ kind: 'log', mustNotMatch: 'panic' }),
  ];
  const job = manager.enqueue(await payload({ 'app.js': GOOD_APP }, { checks }));
  const { target, checks: results } = succeeded(await job.finished);
  assert.equal((await get(target, '/')).body, 'hello');
  assert.deepEqual(
    results.map((result) => result.outcome),
    ['passed', 'passed'],
  );
  assert.deepEqual(
    job.progress.map((progress) => progress.phase),
    ['building', 'starting', 'smoking'],
  );
  const line = await manager.until(() => manager.releaseLogs[0]);
  assert.deepEqual([line.releaseId, line.text], [RELEASE, 'app started']);
});

test('static files are handed over running', { skip }, async (t) => {
  const { manager, start, payload } = await openAgentBench(t);
  await start();
  const runPlan = { kind: 'static', build: null, root: '.', from: 'static files' } as const;
  const job = manager.enqueue(await payload({ 'index.html': 'page' }, { runPlan }));
  assert.equal((await get(succeeded(await job.finished).target, '/')).body, 'page');
});

test('a build that fails is the commit’s fault', { skip }, async (t) => {
  const { manager, start, payload } = await openAgentBench(t);
  await start();
  const runPlan = {
    kind: 'command',
    build: 'echo no such module; exit 1',
    run: 'node app.js',
    from: 'x',
  } as const;
  const result = failed(await manager.enqueue(await payload({ 'app.js': GOOD_APP }, { runPlan })).finished);
  assert.deepEqual([result.phase, result.cause], ['building', 'commit']);
  assert.match(result.outputTail, /no such module/);
});

test('an exit at start is seen at once and told with its output', { skip }, async (t) => {
  const { manager, start, payload } = await openAgentBench(t);
  await start();
  const job = manager.enqueue(await payload({ 'app.js': `console.error('no database'); process.exit(1)` }));
  const result = failed(await job.finished);
  assert.deepEqual([result.phase, result.cause], ['starting', 'commit']);
  assert.match(result.outputTail, /no database/);
});

test('a release that fails a check is ended and its check named', { skip }, async (t) => {
  const { manager, start, payload, countApps } = await openAgentBench(t);
  await start();
  const checks = [check(address('/', { contains: ['goodbye'] }))];
  const result = failed(await manager.enqueue(await payload({ 'app.js': GOOD_APP }, { checks })).finished);
  assert.deepEqual([result.phase, result.cause], ['smoking', 'commit']);
  assert.match(result.checks[0]!.detail, /without "goodbye"/);
  assert.equal(await countApps(), 0);
});

test('a check that fails at first is asked again', { skip }, async (t) => {
  const { manager, start, payload } = await openAgentBench(t);
  await start();
  const app = `let n = 0;
require('node:http').createServer((req, res) => {
  if (req.url === '/slow' && ++n < 3) res.statusCode = 503;
  res.end();
}).listen(process.env.PORT);`;
  const checks = [check(address('/slow'))];
  succeeded(await manager.enqueue(await payload({ 'app.js': app }, { checks })).finished);
});

test('a release that prints what a check forbids is refused', { skip }, async (t) => {
  const { manager, start, payload } = await openAgentBench(t);
  await start();
  const checks = [check({ kind: 'log', mustNotMatch: '^app st' })];
  const result = failed(await manager.enqueue(await payload({ 'app.js': GOOD_APP }, { checks })).finished);
  assert.match(result.detail, /app started/);
});

test('foreign code is not run where there is no sandbox, and the package to install is named', async (t) => {
  const { manager, start, payload } = await openAgentBench(t);
  await start({ sandbox: unsandboxed });
  const result = failed(await manager.enqueue(await payload({ 'app.js': GOOD_APP })).finished);
  assert.equal(result.cause, 'host');
  assert.match(result.detail, /--no-sandbox/);
});

test('the box’s own code runs where there is no sandbox', async (t) => {
  const { manager, start, payload } = await openAgentBench(t);
  await start({ sandbox: unsandboxed });
  const job = manager.enqueue(await payload({ 'app.js': GOOD_APP }, { trusted: true }));
  assert.equal((await get(succeeded(await job.finished).target, '/')).body, 'hello');
});

test('a job handed out again leaves one process, of the newer lease', { skip }, async (t) => {
  const { manager, start, payload, countApps } = await openAgentBench(t);
  await start();
  const app = `const { createServer } = require('node:http');
const { existsSync, writeFileSync } = require('node:fs');
const mark = process.env.DATA_DIR + '/second';
const isSecond = existsSync(mark);
writeFileSync(mark, '');
createServer((req, res) => {
  if (req.url !== '/check') return res.end('up');
  console.log('asked');
  if (isSecond) res.end('second');
}).listen(process.env.PORT);`;
  const checks = [check(address('/check'))];
  const job = manager.enqueue(await payload({ 'app.js': app }, { checks }));
  await manager.until(() => manager.releaseLogs.find((line) => line.text === 'asked'));
  job.loseLease();
  const { target } = succeeded(await job.finished);
  assert.equal((await get(target, '/check')).body, 'second');
  assert.equal(job.fence, 2);
  assert.equal(await countApps(), 1);
});

test('a cancelled job leaves no process', { skip, timeout: 30_000 }, async (t) => {
  const { manager, start, payload, countApps } = await openAgentBench(t);
  await start();
  const job = manager.enqueue(await payload({ 'app.js': GOOD_APP }, { checks: [check(address('/hang'))] }));
  await manager.until(() => manager.releaseLogs[0]);
  assert.equal(await countApps(), 1);
  job.cancel();
  while ((await countApps()) > 0) await new Promise(setImmediate);
  assert.equal(job.result, null);
});

test('a rollback uses the tree that was kept, without fetching it', { skip }, async (t) => {
  const { manager, start, payload, dir } = await openAgentBench(t);
  await start();
  const first = await payload({ 'app.js': GOOD_APP });
  succeeded(await manager.enqueue(first).finished);
  manager.setTopology({ releases: [desired(first)] });
  manager.setTopology({ releases: [desired(first, { state: 'kept' })] });
  await manager.until(() => manager.observations.find((observation) => observation.type === 'stopped'));
  await access(join(dir, 'state/releases', RELEASE, 'tree/app.js'));
  const fetches = () => manager.calls.filter((call) => call.operation === 'getJobSource').length;
  assert.equal(fetches(), 1);
  const { target } = succeeded(await manager.enqueue({ ...first, trigger: 'rollback' }).finished);
  assert.equal((await get(target, '/')).body, 'hello');
  assert.equal(fetches(), 1);
});

test('a rollback to a release that still runs uses its process', { skip }, async (t) => {
  const { manager, start, payload } = await openAgentBench(t);
  await start();
  const first = await payload({ 'app.js': GOOD_APP });
  const before = succeeded(await manager.enqueue(first).finished);
  manager.setTopology({ releases: [desired(first, { state: 'warm' })] });
  const life = (await get(before.target, '/life')).body;
  const after = succeeded(await manager.enqueue({ ...first, trigger: 'rollback' }).finished);
  assert.equal((await get(after.target, '/life')).body, life);
});

test('another revision that does not list a release yet does not end what a job has just made', {
  skip,
}, async (t) => {
  const { manager, start, payload } = await openAgentBench(t);
  await start();
  const first = await payload({ 'app.js': GOOD_APP });
  const { target } = succeeded(await manager.enqueue(first).finished);
  const other = await payload({ 'app.js': `${GOOD_APP}//` }, { releaseId: 'rel_0000000002' });
  manager.setReleaseSource(other.releaseId, other.commit);
  manager.setTopology({ releases: [desired(other)] });
  await manager.until(() => manager.observations.find((observation) => observation.type === 'started'));
  assert.equal((await get(target, '/')).body, 'hello');
});

/** Prints its setting in some ways, and quotes it in its answer. */
const TALKING_APP = `
const { createServer } = require('node:http');
const { PASSWORD } = process.env;
console.log('plain ' + PASSWORD);
console.error(JSON.stringify({ url: 'postgres://u:' + encodeURIComponent(PASSWORD) + '@db', PASSWORD }));
createServer((req, res) => {
  if (req.url === '/exit') throw new Error('cannot log in with ' + PASSWORD);
  res.end(JSON.stringify({ password: PASSWORD }));
}).listen(Number(process.env.PORT), '127.0.0.1');
`;
const PASSWORD = 'canary/"one" two%4711';

test('a release runs with its settings, and nothing of their values is told of it', { skip }, async (t) => {
  const { manager, start, payload } = await openAgentBench(t);
  await start();
  manager.setReleaseSettings(RELEASE, { version: 3, values: { PASSWORD } });
  const given = await payload({ 'app.js': TALKING_APP }, { settingsVersion: 3 });
  const { target } = succeeded(await manager.enqueue(given).finished);
  assert.equal(JSON.parse((await get(target, '/')).body).password, PASSWORD);
  await manager.until(() => manager.releaseLogs[1]);
  assert.deepEqual(
    manager.releaseLogs.map((line) => line.text),
    ['plain [PASSWORD]', '{"url":"postgres://u:[PASSWORD]@db","PASSWORD":"[PASSWORD]"}'],
  );
  const checks = [check(address('/', { json: { password: 'other' } }))];
  const refused = failed(await manager.enqueue({ ...given, checks }).finished);
  assert.match(refused.detail, /answered "\[PASSWORD\]" at password, expected "other"/);
  assert.doesNotMatch(JSON.stringify([refused, manager.agentLogs, manager.observations]), /canary/);
});

test('what a release says when it dies is told without its settings', { skip }, async (t) => {
  const { manager, start, payload } = await openAgentBench(t);
  await start();
  manager.setReleaseSettings(RELEASE, { version: 1, values: { PASSWORD } });
  const given = await payload({ 'app.js': TALKING_APP }, { settingsVersion: 1 });
  const { target } = succeeded(await manager.enqueue(given).finished);
  manager.setTopology({ releases: [desired(given)] });
  await get(target, '/exit').catch(() => undefined);
  const exit = await manager.until(() => manager.observations.find((one) => one.type === 'exited'));
  assert.ok(exit.type === 'exited');
  assert.match(exit.outputTail, /cannot log in with \[PASSWORD\]/);
  const again = await manager.until(() => manager.observations.find((one) => one.type === 'started'));
  assert.ok(again.type === 'started');
  assert.equal(JSON.parse((await get(again.target, '/')).body).password, PASSWORD, 'started with them again');
  assert.doesNotMatch(JSON.stringify([manager.observations, manager.releaseLogs]), /canary/);
});

test('a release whose settings cannot be had is not started without them', { skip }, async (t) => {
  const { manager, start, payload, countApps } = await openAgentBench(t);
  await start();
  manager.setReleaseSettings(RELEASE, { version: 1, values: {} });
  const given = await payload({ 'app.js': GOOD_APP }, { settingsVersion: 2 });
  const result = failed(await manager.enqueue(given).finished);
  assert.deepEqual([result.phase, result.cause], ['starting', 'host']);
  assert.match(result.detail, /settings version 2 was asked for and 1 came/);
  assert.equal(await countApps(), 0);
});
