import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { DeployPayload, DeployResult, ReleaseObservation } from '@dbox/contracts';
import { skipWithoutEngine } from './engine/testing/find-engine.ts';
import { openContainerBench } from './targets/container/testing/container-bench.ts';
import { get } from './targets/testing/target.testsuite.ts';
import { desired, openAgentBench, RELEASE } from './testing/agent-bench.ts';

const skip = await skipWithoutEngine();

const APP = `
const { createServer } = require('node:http');
const life = require('node:crypto').randomUUID();
console.log('app started');
createServer((req, res) => {
  if (req.url === '/exit') process.exit(3);
  if (req.url === '/print') console.log('printed');
  res.end(req.url === '/life' ? life : 'hello');
}).listen(Number(process.env.PORT));
`;

async function benchOf(t: TestContext) {
  const agents = await openAgentBench(t);
  const containers = await openContainerBench(t);
  const start = (more: { readyTimeoutMs?: number } = {}) =>
    agents.start({ target: containers.open(), ...more });
  const nameOf = (releaseId: string) => `${containers.box}-rel-${releaseId.slice(-10)}`;
  const observed = <T extends ReleaseObservation['type']>(type: T, n = 1) =>
    agents.manager.until(
      () =>
        agents.manager.observations.filter((one) => one.type === type)[n - 1] as
          | Extract<ReleaseObservation, { type: T }>
          | undefined,
    );
  /** Until no container of the release is left: the engine's word, asked again and again. */
  async function gone(releaseId: string): Promise<void> {
    while ((await containers.engine.inspectContainer(nameOf(releaseId))) !== null) {
      await new Promise(setImmediate);
    }
  }
  async function deploy(payload: DeployPayload) {
    return (await agents.manager.enqueue(payload).finished) as DeployResult;
  }
  return { ...agents, ...containers, start, nameOf, observed, gone, deploy };
}

function succeeded(result: DeployResult) {
  assert.equal(result.outcome, 'succeeded', JSON.stringify(result));
  return result as Extract<DeployResult, { outcome: 'succeeded' }>;
}

function failed(result: DeployResult) {
  assert.equal(result.outcome, 'failed', JSON.stringify(result));
  return result as Extract<DeployResult, { outcome: 'failed' }>;
}

const DOCKERFILE = { kind: 'dockerfile', path: 'Dockerfile', port: null, from: 'Dockerfile' } as const;

test('a release is handed over running, by the digest of its image', { skip }, async (t) => {
  const bench = await benchOf(t);
  await bench.start();
  const { target, image } = succeeded(await bench.deploy(await bench.payload({ 'app.js': APP })));
  assert.match(image ?? '', /^sha256:[0-9a-f]{64}$/);
  assert.equal((await get(target, '/')).body, 'hello');
  const found = await bench.engine.inspectContainer(bench.nameOf(RELEASE));
  assert.equal(found?.Image, image);
});

test('a crash at its start is refused within half a second, with what it printed', {
  skip,
}, async (t) => {
  const bench = await benchOf(t);
  await bench.start();
  const payload = await bench.payload({ 'app.js': `console.error('no database'); process.exit(1)` });
  bench.manager.setTopology({ releases: [desired(payload, { state: 'warm' })] });
  const job = bench.manager.enqueue(payload);
  const result = failed((await job.finished) as DeployResult);
  const endedAtMs = Date.now();
  assert.deepEqual([result.phase, result.cause], ['starting', 'commit']);
  assert.match(result.detail, /exit 1/);
  assert.match(result.outputTail, /no database/);
  const found = await bench.engine.inspectContainer(bench.nameOf(RELEASE));
  assert.ok(found, 'what was refused is kept until the manager no longer lists it');
  // Of its own time to crash the machine decides; of what comes after it the agent does.
  const tookMs = endedAtMs - Date.parse(found.State.FinishedAt);
  assert.ok(tookMs < 500, `it took ${tookMs} ms`);
});

test('what never answers is refused at its deadline, and the port it should have had is named', {
  skip,
}, async (t) => {
  const bench = await benchOf(t);
  await bench.start({ readyTimeoutMs: 1_500 });
  const files = {
    Dockerfile:
      'FROM node:24-bookworm-slim\nCOPY app.js /\nEXPOSE 3000\nUSER node\nCMD ["node", "/app.js"]\n',
    'app.js': APP.replace('Number(process.env.PORT)', '4000'),
  };
  const result = failed(await bench.deploy(await bench.payload(files, { runPlan: DOCKERFILE })));
  assert.equal(result.cause, 'commit');
  assert.match(result.detail, /exposes port 3000 and the app does not listen there/);
});

test('a Dockerfile that does not build tells its failing step and what it printed', { skip }, async (t) => {
  const bench = await benchOf(t);
  await bench.start();
  const files = {
    Dockerfile: 'FROM node:24-bookworm-slim\nRUN echo before\nRUN echo the reason >&2; exit 7\n',
  };
  const result = failed(await bench.deploy(await bench.payload(files, { runPlan: DOCKERFILE })));
  assert.deepEqual([result.phase, result.cause], ['building', 'commit']);
  assert.match(result.outputTail, /RUN echo the reason.*\nthe reason/);
  assert.match(result.detail, /exit code: 7/);
});

test('a killed agent’s release serves on, and the next life goes on with it', { skip }, async (t) => {
  const bench = await benchOf(t);
  const payload = await bench.payload({ 'app.js': APP });
  bench.manager.setReleaseSource(payload.releaseId, payload.commit);
  bench.manager.setReleaseSettings(payload.releaseId, { version: 0, values: {} });
  bench.manager.setTopology({ releases: [desired(payload)] });
  const { manager, dir, box, network, options } = bench;
  const life = spawn(
    process.execPath,
    [
      '--no-warnings',
      join(import.meta.dirname, 'testing/container-life.ts'),
      ...[manager.url, manager.token, dir, box, network, options.socketPath],
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const died = once(life, 'exit');
  const first = await Promise.race([
    bench.observed('started'),
    died.then(() => assert.fail('it died early')),
  ]);
  const before = (await get(first.target, '/life')).body;
  life.kill('SIGKILL');
  await died;
  await get(first.target, '/print');

  await bench.start();
  const second = await bench.observed('started', 2);
  assert.equal((await get(second.target, '/life')).body, before);
  await manager.until(() => manager.releaseLogs.find((line) => line.text === 'printed'));
  await get(second.target, '/exit').catch(() => undefined);
  const exit = await bench.observed('exited');
  assert.equal(exit.exitCode, 3);
  const third = await bench.observed('started', 3);
  assert.notEqual((await get(third.target, '/life')).body, before);
});

test('a release that ended while no agent lived is told of and started again', { skip }, async (t) => {
  const bench = await benchOf(t);
  const payload = await bench.payload({ 'app.js': APP });
  bench.manager.setReleaseSource(payload.releaseId, payload.commit);
  bench.manager.setReleaseSettings(payload.releaseId, { version: 0, values: {} });
  bench.manager.setTopology({ releases: [desired(payload)] });
  const { manager, dir, box, network, options } = bench;
  const script = join(import.meta.dirname, 'testing/container-life.ts');
  const args = [script, manager.url, manager.token, dir, box, network, options.socketPath];
  const life = spawn(process.execPath, ['--no-warnings', ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const { target } = await bench.observed('started');
  const died = once(life, 'exit');
  life.kill('SIGKILL');
  await died;
  await get(target, '/exit').catch(() => undefined);
  await bench.engine.waitForExit(bench.nameOf(RELEASE), t.signal);

  await bench.start();
  const exit = await bench.observed('exited');
  assert.equal(exit.exitCode, 3);
  assert.match(exit.outputTail, /app started/);
  const again = await bench.observed('started', 2);
  assert.equal((await get(again.target, '/')).body, 'hello');
});

test('what nobody wants after a kill is gone after the first revision', { skip }, async (t) => {
  const bench = await benchOf(t);
  const target = bench.open();
  const payload = await bench.payload({ 'app.js': APP });
  // As a life leaves it that was killed before it recorded anything.
  const tree = join(bench.dir, 'tree');
  await mkdir(tree);
  await writeFile(join(tree, 'app.js'), APP);
  const run = {
    ...payload,
    tree,
    settings: {},
    runPlan: { kind: 'command', build: null, run: 'node app.js', from: 'x' },
  } as const;
  const signal = new AbortController().signal;
  const built = await target.build(run, { signal, onLine: () => undefined });
  assert.ok(built.ok);
  await target.start({ ...run, image: built.image }, { marker: 'x', onLine: () => undefined });
  bench.manager.setTopology({ releases: [] });
  await bench.start();
  await bench.gone(RELEASE);
});

test('a rollback runs the very image that was live, without its source', { skip }, async (t) => {
  const bench = await benchOf(t);
  await bench.start();
  const first = await bench.payload({ 'app.js': APP });
  const { image } = succeeded(await bench.deploy(first));
  bench.manager.setTopology({ releases: [desired({ ...first, image })] });
  bench.manager.setTopology({ releases: [desired({ ...first, image }, { state: 'kept' })] });
  await bench.observed('stopped');
  assert.equal((await bench.engine.inspectContainer(bench.nameOf(RELEASE)))?.State.Running, false);
  const fetches = () => bench.manager.calls.filter((call) => call.operation === 'getJobSource').length;
  const before = fetches();
  const again = succeeded(await bench.deploy({ ...first, image, trigger: 'rollback' }));
  assert.equal(again.image, image);
  assert.equal(fetches(), before);
});

test('settings reach the app and nobody who looks at the engine', { skip }, async (t) => {
  const bench = await benchOf(t);
  await bench.start();
  const app = `require('node:http').createServer((req, res) => res.end(process.env.SECRET)).listen(process.env.PORT)`;
  const payload = await bench.payload({ 'app.js': app }, { settingsVersion: 1 });
  const canary = `it's a "canary" $HOME\nsecond`;
  bench.manager.setReleaseSettings(payload.releaseId, { version: 1, values: { SECRET: canary } });
  const { target } = succeeded(await bench.deploy(payload));
  assert.equal((await get(target, '/')).body, canary);
  const inspected = await rawInspect(bench.options.socketPath, bench.nameOf(RELEASE));
  assert.equal(inspected.includes('canary'), false);
  assert.match(inspected, /env\.sh/);
  bench.manager.setTopology({ releases: [desired(payload)] });
  bench.manager.setTopology({ releases: [] });
  await bench.gone(RELEASE);
  while ((await bench.engine.inspectVolume(`${bench.box}-set-${RELEASE.slice(-10)}`)) !== null) {
    await new Promise(setImmediate);
  }
});

async function rawInspect(socketPath: string, name: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path: `/containers/${name}/json`, headers: { host: 'engine' } }, async (res) => {
      let body = '';
      for await (const chunk of res) body += chunk;
      resolve(body);
    })
      .once('error', reject)
      .end();
  });
}

test('what the engine tells of a release reaches the manager', { skip }, async (t) => {
  const bench = await benchOf(t);
  await bench.start();
  const payload = await bench.payload({ 'app.js': APP });
  const { target } = succeeded(await bench.deploy(payload));
  bench.manager.setTopology({ releases: [desired(payload)] });
  const usage = await bench.manager.until(() => bench.manager.usage[0]);
  assert.equal(usage.releaseId, RELEASE);
  assert.ok(usage.memoryBytes > 1_000_000 && usage.processes >= 2);
  await get(target, '/exit').catch(() => undefined);
  const event = await bench.observed('engine_event');
  assert.deepEqual([event.action, event.detail], ['die', 'exit 3']);
});
