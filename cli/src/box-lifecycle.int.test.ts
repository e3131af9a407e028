import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { processIsAlive, readBoxState } from './box-state.ts';
import { systemClock } from './clock.ts';
import type { Config } from './config.ts';
import { readConfig } from './config.ts';
import { EXIT } from './exit-codes.ts';
import type { CliError } from './failure.ts';
import { runCli } from './program/program.ts';
import { startBox } from './start-box.ts';
import { stopBox } from './stop-box.ts';
import { makeWorkspace } from './testing/run-main.ts';
import { STATUS } from './testing/sample-answers.ts';

const GRACE_MS = 10_000;

/** A checkout whose box is the fake one. */
async function setUp(t: TestContext, behaviour = 'good'): Promise<Config> {
  const space = await makeWorkspace();
  const checkoutDir = join(space.dir, 'checkout');
  await mkdir(join(checkoutDir, 'box', 'src'), { recursive: true });
  await symlink(
    join(import.meta.dirname, 'testing', 'fake-box.ts'),
    join(checkoutDir, 'box', 'src', 'main.ts'),
  );
  await writeFile(join(space.dir, 'behaviour'), behaviour);
  t.after(async () => {
    await stopBox(space.dir, systemClock, 0);
    await space.remove();
  });
  const env = {
    DBOX_WORKSPACE: space.dir,
    DBOX_PORT: '7801',
    DBOX_GATEWAY_PORT: '8181',
    PATH: process.env.PATH,
  };
  return readConfig(env, { cwd: '/', checkoutDir });
}

const start = (config: Config, sandbox = true) =>
  startBox({ config, clock: systemClock, sandbox, onStarting: () => {}, onWaiting: () => {} });

const starts = async (config: Config): Promise<string[]> =>
  (await readFile(join(config.workspaceDir, 'starts'), 'utf8')).trimEnd().split('\n');

test('a box is started with its workspace and ports, and a second up finds it', async (t) => {
  const config = await setUp(t);
  const first = await start(config, false);
  assert.equal(first.started, true);
  assert.deepEqual(JSON.parse((await starts(config))[0] ?? ''), {
    workspace: config.workspaceDir,
    port: '7801',
    'gateway-port': '8181',
    'no-sandbox': true,
  });
  const second = await start(config);
  assert.deepEqual([second.started, second.state.pid], [false, first.state.pid]);
  assert.equal((await starts(config)).length, 1);
});

test('a workspace that a start makes is for nobody else on the machine', async (t) => {
  const config = await setUp(t);
  const workspaceDir = join(config.workspaceDir, 'made');
  try {
    await start({ ...config, workspaceDir });
    assert.equal((await stat(workspaceDir)).mode & 0o777, 0o700);
  } finally {
    // Before the hook of `setUp` removes the directory, which says where this box is.
    await stopBox(workspaceDir, systemClock, 0);
  }
});

test('of several ups at once one starts the box and all get it', async (t) => {
  const config = await setUp(t);
  let startings = 0;
  const up = () =>
    startBox({
      config,
      clock: systemClock,
      sandbox: true,
      onStarting: () => {
        startings += 1;
      },
      onWaiting: () => {},
    });
  const boxes = await Promise.all([up(), up(), up()]);
  assert.equal(new Set(boxes.map((box) => box.state.pid)).size, 1);
  assert.equal(boxes.filter((box) => box.started).length, 1);
  assert.equal(startings, 1);
});

/** A box that has been told to stop, does not name itself any more, and is still there. */
async function startLingering(t: TestContext): Promise<{ config: Config; pid: number }> {
  const config = await setUp(t, 'lingering');
  const { state } = await start(config);
  t.after(() => processIsAlive(state.pid!) && process.kill(state.pid!, 'SIGKILL'));
  process.kill(state.pid!, 'SIGTERM');
  while ((await readBoxState(config.workspaceDir)) !== null) await systemClock.sleep(5);
  await writeFile(join(config.workspaceDir, 'behaviour'), 'good');
  return { config, pid: state.pid! };
}

test('an up waits until a box that is still stopping has gone, and then starts one', async (t) => {
  const { config, pid } = await startLingering(t);
  const waitedFor: number[] = [];
  const next = await startBox({
    config,
    clock: systemClock,
    sandbox: true,
    onStarting: () => assert.equal(processIsAlive(pid), false),
    onWaiting: (holder) => {
      waitedFor.push(holder);
      process.kill(holder, 'SIGUSR2');
    },
  });
  assert.deepEqual(waitedFor, [pid]);
  assert.deepEqual([next.started, next.state.pid === pid], [true, false]);
});

test('a second down waits for the box that the first one is stopping', async (t) => {
  const { config, pid } = await startLingering(t);
  assert.deepEqual(await stopBox(config.workspaceDir, systemClock, 0), { kind: 'stuck', pid });
  const stopping = stopBox(config.workspaceDir, systemClock, GRACE_MS);
  process.kill(pid, 'SIGUSR2');
  const outcome = await stopping;
  assert.ok(['stopped', 'was_not_running'].includes(outcome.kind), outcome.kind);
  assert.equal(processIsAlive(pid), false);
});

test('what a killed up left behind keeps nobody from starting', async (t) => {
  const config = await setUp(t);
  await writeFile(join(config.workspaceDir, 'box.starting'), String(2 ** 30));
  assert.equal((await start(config)).started, true);
});

test('box.json of a killed box keeps nobody from starting', async (t) => {
  const config = await setUp(t);
  await writeFile(
    join(config.workspaceDir, 'box.json'),
    JSON.stringify({ pid: 2 ** 30, url: 'http://127.0.0.1:1', version: 'x', mode: 'process' }),
  );
  const { started, state } = await start(config);
  assert.deepEqual([started, state.version], [true, '0.1.0']);
});

test('a box that ends at once is told with its own words and the name of its log', async (t) => {
  const config = await setUp(t, 'fail');
  await writeFile(join(config.workspaceDir, 'box.log'), 'dbox: an old error\n');
  await assert.rejects(start(config), (error: CliError) => {
    assert.equal(error.code, 'box_did_not_start');
    assert.match(error.message, /ended with exit code 1\.\nanother box \(process 12\) holds this workspace$/);
    assert.match(error.hint ?? '', /box\.log/);
    return true;
  });
});

test('down ends the process, and doing it again is fine', async (t) => {
  const config = await setUp(t);
  const { state } = await start(config);
  assert.deepEqual(await stopBox(config.workspaceDir, systemClock, GRACE_MS), {
    kind: 'stopped',
    pid: state.pid,
  });
  assert.equal(processIsAlive(state.pid!), false);
  assert.deepEqual(await stopBox(config.workspaceDir, systemClock, GRACE_MS), { kind: 'was_not_running' });
});

test('a box that does not stop is killed in the end', async (t) => {
  const config = await setUp(t, 'deaf');
  const { state } = await start(config);
  assert.deepEqual(await stopBox(config.workspaceDir, systemClock, 0), { kind: 'killed', pid: state.pid });
  assert.equal(processIsAlive(state.pid!), false);
});

test('a process that ended without anybody asking after it is not taken for alive', async (t) => {
  if (process.platform !== 'linux') return t.skip('only /proc tells zombies from the living');
  // The inner shell ends at once; the sleep that took its parent's place never asks after it.
  const parent = spawn('sh', ['-c', 'sh -c "echo \\$\\$" & exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.after(() => parent.kill('SIGKILL'));
  const pid = await new Promise<number>((resolve) =>
    parent.stdout.once('data', (text) => resolve(Number(text))),
  );
  assert.ok(pid > 1);
  const deadline = AbortSignal.timeout(GRACE_MS);
  while (processIsAlive(pid) && !deadline.aborted) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(processIsAlive(pid), false);
  assert.doesNotThrow(() => process.kill(pid, 0), 'the kernel still knows it');
});

test('a number that another program has now is not signalled', async (t) => {
  const config = await setUp(t);
  await writeFile(
    join(config.workspaceDir, 'box.json'),
    JSON.stringify({ pid: process.pid, url: 'http://127.0.0.1:1', version: 'x', mode: 'process' }),
  );
  assert.deepEqual(await stopBox(config.workspaceDir, systemClock, 0), { kind: 'was_not_running' });
});

async function runHere(
  config: Config,
  ...args: string[]
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const heard = { stdout: '', stderr: '' };
  const sink = (name: 'stdout' | 'stderr') => ({
    write: (text: string) => {
      heard[name] += text;
    },
    isTerminal: false,
    columns: null,
  });
  const exitCode = await runCli({
    args,
    readConfig: () => config,
    clock: systemClock,
    stdout: sink('stdout'),
    stderr: sink('stderr'),
  });
  return { exitCode, ...heard };
}

test('up waits until the sites answer again and ends with every address', async (t) => {
  const config = await setUp(t);
  let calls = 0;
  const site = createServer((_request, response) => {
    calls += 1;
    response.statusCode = calls < 3 ? 503 : 404;
    response.end();
  });
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  t.after(() => site.close());
  const url = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
  const environment = STATUS.projects[0]?.environments[0];
  const status = { ...STATUS, projects: [{ name: 'blog', environments: [{ ...environment, url }] }] };
  await writeFile(join(config.workspaceDir, 'status.json'), JSON.stringify(status));

  const { exitCode, stdout, stderr } = await runHere(config, 'up');
  assert.equal(exitCode, EXIT.ok);
  assert.equal(calls, 3);
  assert.match(stdout, new RegExp(`^http://127\\.0\\.0\\.1:\\d+\nblog {2}${url}\n$`));
  assert.match(stderr, /Port 7801 was taken, so it listens on \d+/);
  assert.match(stderr, /warning: there is no sandbox/);

  const again = await runHere(config, 'up', '--json');
  assert.match(again.stderr, /The box is up already/);
  assert.deepEqual(JSON.parse(again.stdout), { ...status, started: false });
});

test('down says what it did and is fine to do again', async (t) => {
  const config = await setUp(t);
  await start(config);
  const first = await runHere(config, 'down', '--json');
  assert.equal(first.exitCode, EXIT.ok);
  assert.deepEqual(JSON.parse(first.stdout), {
    stopped: true,
    killed: false,
    workspace: config.workspaceDir,
  });
  const second = await runHere(config, 'down');
  assert.deepEqual([second.exitCode, second.stderr], [EXIT.ok, 'No box is running.\n']);
});
