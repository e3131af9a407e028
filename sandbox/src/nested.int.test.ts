import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import type { AgentReport } from './testing/agent-in-container.ts';

/*
 * The sandbox inside a container as the coding and testing agents run in it: on a real engine, with
 * the options that deploy/seccomp/README.md names and without each of them.
 */
const ROOT = resolve(import.meta.dirname, '../..');
const IMAGE = `dbox-test-nested:${process.pid}`;
const RECIPE = `FROM node:24-bookworm-slim
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends bubblewrap && rm -rf /var/lib/apt/lists/*
`;
const CONTAINER_LIMIT_MS = 240_000;
const OPTIONS = {
  seccomp: ['--security-opt', `seccomp=${join(ROOT, 'deploy/seccomp/nested-sandbox.json')}`],
  systempaths: ['--security-opt', 'systempaths=unconfined'],
  apparmor: ['--security-opt', 'apparmor=unconfined'],
};
const CANARY = 'canary-of-the-agent-7d1e';

const isRequired = process.env.DBOX_TEST_ENGINE === 'required';
const skip = whyNoEngine();

function whyNoEngine(): string | false {
  const { error, status, stderr } = spawnSync('docker', ['version'], { encoding: 'utf8' });
  if (error === undefined && status === 0) return false;
  const reason = `no container engine answers here: ${error?.message ?? stderr.trim()}`;
  if (isRequired) throw new Error(reason);
  return reason;
}

before(async () => {
  if (skip) return;
  const building = promisify(execFile)('docker', ['build', '-q', '-t', IMAGE, '-'], {
    timeout: CONTAINER_LIMIT_MS,
  });
  building.child.stdin?.end(RECIPE);
  await building;
});
after(() => {
  if (!skip) spawnSync('docker', ['image', 'rm', IMAGE]);
});

/** As in the stack: no root, no capability, nothing to write but scratch. */
async function runInContainer(options: readonly string[], command: readonly string[]): Promise<string> {
  const tmpfs = (path: string, more: string) => ['--tmpfs', `${path}:nosuid,nodev,${more}`];
  const { stdout } = await promisify(execFile)(
    'docker',
    [
      ...['run', '--rm', '--init', '--label', 'dbox.test=nested', '--user', '1000:1000', '--read-only'],
      ...['--cap-drop', 'ALL', '--security-opt', 'no-new-privileges:true', ...options],
      ...['--pids-limit', '1024', '--memory', '2g'],
      ...tmpfs('/var/lib/dbox', 'exec,mode=0700,uid=1000,gid=1000'),
      ...tmpfs('/tmp', 'exec,mode=1777'),
      ...tmpfs('/run', 'mode=0755,uid=1000,gid=1000'),
      ...['--env', `DBOX_CANARY=${CANARY}`, '--volume', `${ROOT}:${ROOT}:ro`, '--workdir', ROOT],
      ...[IMAGE, ...command],
    ],
    { timeout: CONTAINER_LIMIT_MS, maxBuffer: 16 * 1024 * 1024 },
  ).catch((error: Error & { stdout?: string }) => {
    throw new Error(`${error.message}\n${error.stdout ?? ''}`, { cause: error });
  });
  return stdout;
}

async function reportOf(options: readonly string[]): Promise<AgentReport> {
  const agent = join(ROOT, 'sandbox/src/testing/agent-in-container.ts');
  return JSON.parse(await runInContainer(options, ['node', '--no-warnings', agent])) as AgentReport;
}

test('a hostile job in an agent’s container gets at nothing of the agent, of other jobs or of the network', {
  skip,
}, async () => {
  const { kind, missing, sandboxed, control } = await reportOf(Object.values(OPTIONS).flat());
  assert.deepEqual([kind, missing], ['bubblewrap', null]);
  const done = Object.entries(sandboxed ?? {}).filter(([, what]) => what.startsWith('DONE'));
  assert.deepEqual(done, []);
  assert.ok(Object.keys(sandboxed ?? {}).length >= 24, JSON.stringify(sandboxed));
  // The same attempts do reach their ends where no sandbox stands in the way: so they are real ones.
  for (const what of [
    /token/,
    /read another/,
    /write into another/,
    /canary/,
    /find the agent/,
    /engine/,
    /manager/,
  ]) {
    const attempt = Object.entries(control).filter(([name]) => what.test(name));
    assert.ok(
      attempt.length > 0 && attempt.every(([, end]) => end.startsWith('DONE')),
      `${what}: ${attempt}`,
    );
  }
});

for (const option of ['seccomp', 'systempaths'] as const) {
  test(`without its ${option} option a container has no sandbox, and says what it lacks`, {
    skip,
  }, async () => {
    const others = Object.entries(OPTIONS).filter(([name]) => name !== option);
    const { kind, missing, sandboxed } = await reportOf(others.flatMap(([, words]) => words));
    assert.deepEqual([kind, sandboxed], ['none', null]);
    assert.match(missing ?? '', /seccomp=deploy\/seccomp\/nested-sandbox\.json, systempaths=unconfined/);
  });
}

test('the sandbox’s own tests hold inside such a container', { skip }, async () => {
  const files = ['sandbox', 'supervision'].map((name) => join(ROOT, `sandbox/src/${name}.int.test.ts`));
  const node = ['node', '--no-warnings', '--test', '--test-reporter=spec'];
  const printed = await runInContainer(Object.values(OPTIONS).flat(), [...node, ...files]);
  assert.match(printed, /^ℹ fail 0$/m);
  assert.match(printed, /^ℹ skipped 0$/m, printed);
  assert.ok(Number(/^ℹ pass (\d+)$/m.exec(printed)?.[1]) >= 20, printed);
});
