import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ReleaseObservation } from '@dbox/contracts';
import { createProcessTarget } from './targets/process-target.ts';
import type { DeploymentTarget } from './targets/target.ts';
import { get } from './targets/testing/target.testsuite.ts';
import {
  desired,
  fastClock,
  GOOD_APP,
  openAgentBench,
  RELEASE,
  sandbox,
  unsandboxed,
} from './testing/agent-bench.ts';

const skip = sandbox.missing ?? false;
type Bench = Awaited<ReturnType<typeof openAgentBench>>;

/** The n-th observation of this type, once it was made. */
function observed<T extends ReleaseObservation['type']>({ manager }: Bench, type: T, n = 1) {
  return manager.until(
    () =>
      manager.observations.filter((observation) => observation.type === type)[n - 1] as
        | Extract<ReleaseObservation, { type: T }>
        | undefined,
  );
}

/** A live release that no job has made: it is fetched, built and started. */
async function live(bench: Bench, app = GOOD_APP) {
  const payload = await bench.payload({ 'app.js': app });
  bench.manager.setReleaseSource(payload.releaseId, payload.commit);
  bench.manager.setTopology({ releases: [desired(payload)] });
  return payload;
}

test('a live release whose tree is gone is fetched and started', { skip }, async (t) => {
  const bench = await openAgentBench(t);
  await live(bench);
  await bench.start();
  const { target, generation } = await observed(bench, 'started');
  assert.equal(generation, 0);
  assert.equal((await get(target, '/')).body, 'hello');
});

test('a live release that exits is told with its output and started again', { skip }, async (t) => {
  const bench = await openAgentBench(t);
  await live(bench);
  await bench.start();
  const { target } = await observed(bench, 'started');
  await get(target, '/exit').catch(() => undefined);
  const exit = await observed(bench, 'exited');
  assert.deepEqual([exit.exitCode, exit.gaveUp], [3, false]);
  assert.match(exit.outputTail, /app started/);
  const again = await observed(bench, 'started', 2);
  assert.equal((await get(again.target, '/')).body, 'hello');
});

test('five exits within a minute end the restarts until a person asks for one', { skip }, async (t) => {
  const bench = await openAgentBench(t);
  const payload = await live(bench, 'process.exit(7)');
  await bench.start({ clock: fastClock(8) });
  const last = await observed(bench, 'exited', 5);
  assert.equal(last.gaveUp, true);
  assert.equal(
    bench.manager.observations.filter((observation) => observation.type === 'exited' && observation.gaveUp)
      .length,
    1,
  );
  bench.manager.setTopology({ releases: [desired(payload, { generation: 1 })] });
  const sixth = await observed(bench, 'exited', 6);
  assert.equal(sixth.gaveUp, false);
});

const HOST_FAULTS: Readonly<Record<string, Partial<DeploymentTarget>>> = {
  'cannot build it': {
    build: async () => ({ ok: false, cause: 'host', detail: 'no space left on device', outputTail: '' }),
  },
  'cannot start it': { start: () => Promise.reject(new Error('no space left on device')) },
  'loses it': {
    start: async () => ({
      target: { kind: 'socket', path: '/nowhere' },
      pid: null,
      exited: Promise.resolve({
        exitCode: null,
        signal: null,
        cause: 'host',
        detail: 'its container is gone',
      }),
      stop: async () => undefined,
    }),
  },
};

for (const [what, fault] of Object.entries(HOST_FAULTS)) {
  test(`a live release is not given up while its host ${what}`, { skip }, async (t) => {
    const bench = await openAgentBench(t);
    const good = createProcessTarget({
      dataDir: join(bench.dir, 'data'),
      runtimeDir: join(bench.dir, 'run'),
      sandbox,
      allowUnsandboxed: false,
    });
    const target = { ...good, ...fault };
    const pauses = () =>
      bench.manager.agentLogs.flatMap(({ nextTryInMs }) => (nextTryInMs === undefined ? [] : [nextTryInMs]));
    // Minutes pass in seconds; what it takes to become ready does not.
    await bench.start({ target, clock: fastClock(50), readyTimeoutMs: 3_000_000 });
    await live(bench);
    await bench.manager.until(() => (pauses().length >= 7 ? true : null));
    Object.assign(target, good);
    const { target: at } = await observed(bench, 'started');
    assert.deepEqual(pauses().slice(0, 7), [200, 1_000, 5_000, 15_000, 30_000, 30_000, 30_000]);
    const exits = bench.manager.observations.filter((one) => one.type === 'exited');
    assert.ok(exits.length >= 1 && exits.length < 7, `told ${exits.length} times`);
    assert.ok(exits.every(({ gaveUp }) => !gaveUp));
    if (what === 'cannot build it') return;
    Object.assign(target, fault);
    await get(at, '/exit').catch(() => undefined);
    // Once it was ready the pauses begin anew.
    await bench.manager.until(() => (pauses().lastIndexOf(200) > 0 ? true : null));
  });
}

test('a grown generation restarts a release once', { skip }, async (t) => {
  const bench = await openAgentBench(t);
  const payload = await live(bench);
  await bench.start();
  const first = await observed(bench, 'started');
  const before = (await get(first.target, '/life')).body;
  bench.manager.setTopology({ releases: [desired(payload, { generation: 1 })] });
  const second = await observed(bench, 'started', 2);
  assert.equal(second.generation, 1);
  assert.notEqual((await get(second.target, '/life')).body, before);
  assert.equal(await bench.countApps(), 1);
});

test('a release taken off the list is ended and its tree removed', { skip }, async (t) => {
  const bench = await openAgentBench(t);
  await live(bench);
  const agent = await bench.start();
  await observed(bench, 'started');
  bench.manager.setTopology({ releases: [] });
  await observed(bench, 'stopped');
  await agent.stop();
  assert.equal(await bench.countApps(), 0);
  await assert.rejects(access(join(bench.dir, 'state/releases', RELEASE, 'tree')));
});

test('a warm release runs on, and ends when it is only kept', { skip }, async (t) => {
  const bench = await openAgentBench(t);
  const payload = await live(bench);
  await bench.start();
  const { target } = await observed(bench, 'started');
  bench.manager.setTopology({ releases: [desired(payload, { state: 'warm' })] });
  // The poll after the next one says that the revision was applied.
  const polls = () => bench.manager.calls.filter((call) => call.operation === 'followTopology').length;
  const before = polls();
  await bench.manager.until(() => (polls() > before ? true : null));
  assert.equal((await get(target, '/')).body, 'hello');
  bench.manager.setTopology({ releases: [desired(payload, { state: 'kept' })] });
  await observed(bench, 'stopped');
  await access(join(bench.dir, 'state/releases', RELEASE, 'tree'));
});

test('a stopped agent leaves no process, and the next one brings the live release back', {
  skip,
}, async (t) => {
  const bench = await openAgentBench(t);
  await live(bench);
  const first = await bench.start();
  await observed(bench, 'started');
  await first.stop();
  assert.equal(await bench.countApps(), 0);
  await bench.start();
  await observed(bench, 'started', 2);
  assert.equal(await bench.countApps(), 1);
  const fetches = bench.manager.calls.filter((call) => call.operation === 'getReleaseSource');
  assert.equal(fetches.length, 1);
});

test('observations wait for a manager that is away', { skip }, async (t) => {
  const bench = await openAgentBench(t);
  await live(bench);
  bench.manager.fail('observeRelease', { kind: 'drop_request' }, 3);
  await bench.start();
  await observed(bench, 'started');
});

for (const kind of ['bubblewrap', 'none'] as const) {
  const options = { skip: kind === 'bubblewrap' ? skip : false };
  test(`after a kill -9 one process serves, of the next life (sandbox: ${kind})`, options, async (t) => {
    const bench = await openAgentBench(t);
    await live(bench);
    const life = spawn(
      process.execPath,
      [
        join(import.meta.dirname, 'testing/agent-life.ts'),
        bench.manager.url,
        bench.manager.token,
        bench.dir,
        bench.boxMarker,
        kind,
      ],
      { detached: true, stdio: ['ignore', 'inherit', 'inherit'] },
    );
    const died = once(life, 'exit');
    const first = await Promise.race([
      observed(bench, 'started'),
      died.then(() => assert.fail('it died early')),
    ]);
    const before = (await get(first.target, '/life')).body;
    process.kill(life.pid!, 'SIGKILL');
    await died;
    await bench.start(kind === 'none' ? { sandbox: unsandboxed, allowUnsandboxed: true } : { sandbox });
    const second = await observed(bench, 'started', 2);
    assert.notEqual((await get(second.target, '/life')).body, before);
    assert.equal(await bench.countApps(), 1);
  });
}
