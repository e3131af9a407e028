import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readFile,
  rm,
  symlink,
  utimes,
  watch,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';

const LAUNCHER = join(import.meta.dirname, '..', '..', 'dbox');
const LIMIT_MS = 30_000;

interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Checkout {
  readonly root: string;
  readonly bin: string;
  start(
    args: readonly string[],
    env?: Record<string, string>,
    program?: string,
  ): { child: ReturnType<typeof spawn>; ended: Promise<Ended> };
  call(...args: string[]): Promise<Ended>;
  /** How often npm was called. */
  installs(): Promise<number>;
}

/** Stands in for npm: counts its calls, waits where it is told to, and lays out a Node. */
const FAKE_NPM = `#!/bin/sh
echo "$*" >> npm.calls
echo "npm says hello"
[ -e npm.fails ] && { cat npm.fails >&2; exit 7; }
mkdir -p node_modules/.bin
ln -sf "$REAL_NODE" node_modules/.bin/node
if [ -e npm.waits ]; then : > npm.waiting; while [ -e npm.waits ]; do sleep 0.05; done; fi
: > node_modules/.package-lock.json
`;

async function makeCheckout(t: TestContext): Promise<Checkout> {
  const dir = await mkdtemp(join(tmpdir(), 'dbox launcher-'));
  const root = join(dir, 'check out');
  const bin = join(dir, 'bin');
  await mkdir(join(root, 'cli', 'src'), { recursive: true });
  await mkdir(bin);
  await copyFile(LAUNCHER, join(root, 'dbox'));
  await writeFile(join(root, 'package-lock.json'), '{}');
  await writeFile(join(root, 'cli/src/main.ts'), 'console.log(JSON.stringify(process.argv.slice(2)));\n');
  await writeFile(join(bin, 'npm'), FAKE_NPM);
  await chmod(join(bin, 'npm'), 0o755);
  for (const name of ['node', 'git'])
    await writeFile(join(bin, name), `#!/bin/sh\necho v20.1.0\n`, { mode: 0o755 });
  t.after(() => rm(dir, { recursive: true, force: true }));

  const start: Checkout['start'] = (args, env = {}, program = join(root, 'dbox')) => {
    const child = spawn(program, args, {
      cwd: dir,
      env: { PATH: `${bin}:/usr/bin:/bin`, REAL_NODE: process.execPath, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: LIMIT_MS,
    });
    const heard = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      heard.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      heard.stderr += text;
    });
    const ended = new Promise<Ended>((resolve) =>
      child.once('close', (exitCode) => resolve({ exitCode, ...heard })),
    );
    return { child, ended };
  };
  return {
    root,
    bin,
    start,
    call: (...args) => start(args).ended,
    installs: async () =>
      (await readFile(join(root, 'npm.calls'), 'utf8').catch(() => ''))
        .split('\n')
        .filter((line) => line !== '').length,
  };
}

/** Resolves once the file is there, told by the file system. */
async function appears(file: string): Promise<void> {
  const over = AbortSignal.timeout(LIMIT_MS);
  const changes = watch(dirname(file), { signal: over });
  if (existsSync(file)) return;
  for await (const _ of changes) if (existsSync(file)) return;
}

test('the first call installs with one line on stderr, the next one starts at once', async (t) => {
  const checkout = await makeCheckout(t);
  const first = await checkout.call('run', 'a "blog" site');
  assert.deepEqual([first.exitCode, first.stdout], [0, '["run","a \\"blog\\" site"]\n']);
  assert.equal(first.stderr.trimEnd().split('\n').length, 1);
  assert.match(first.stderr, /installing what is missing/);
  assert.match(await readFile(join(checkout.root, 'npm.calls'), 'utf8'), /^ci --omit=dev /);
  const second = await checkout.call('status');
  assert.deepEqual([second.stdout, second.stderr], ['["status"]\n', '']);
  assert.equal(await checkout.installs(), 1);
});

test('a newer package-lock.json is installed, once', async (t) => {
  const checkout = await makeCheckout(t);
  await checkout.call('status');
  const past = new Date(Date.now() - 60_000);
  await utimes(join(checkout.root, 'node_modules/.package-lock.json'), past, past);
  await checkout.call('status');
  assert.equal(await checkout.installs(), 2);
  await checkout.call('status');
  assert.equal(await checkout.installs(), 2);
});

test('whoever has the development tools keeps them', async (t) => {
  const checkout = await makeCheckout(t);
  await mkdir(join(checkout.root, 'node_modules/typescript'), { recursive: true });
  await checkout.call('status');
  assert.match(await readFile(join(checkout.root, 'npm.calls'), 'utf8'), /^ci --no-audit/);
});

test('it finds its checkout through links', async (t) => {
  const checkout = await makeCheckout(t);
  await symlink(join(checkout.root, 'dbox'), join(checkout.bin, 'absolute'));
  await symlink('absolute', join(checkout.bin, 'dbox'));
  const { ended } = checkout.start(['version'], {}, join(checkout.bin, 'dbox'));
  assert.equal((await ended).stdout, '["version"]\n');
});

test('of two first calls one installs and both go on', async (t) => {
  const checkout = await makeCheckout(t);
  await writeFile(join(checkout.root, 'npm.waits'), '');
  const first = checkout.start(['one']);
  await appears(join(checkout.root, 'npm.waiting'));
  const second = checkout.start(['two']);
  const waits = new Promise<void>((resolve) => second.child.stderr?.once('data', () => resolve()));
  await waits;
  await rm(join(checkout.root, 'npm.waits'));
  assert.equal((await first.ended).stdout, '["one"]\n');
  const { stdout, stderr } = await second.ended;
  assert.equal(stdout, '["two"]\n');
  assert.match(stderr, /waiting for process \d+, which is installing/);
  assert.equal(await checkout.installs(), 1);
});

test('an install that was killed in the middle is done again by the next call', async (t) => {
  const checkout = await makeCheckout(t);
  await writeFile(join(checkout.root, 'npm.waits'), '');
  const first = checkout.start(['one']);
  await appears(join(checkout.root, 'npm.waiting'));
  // It looks whole: only the lock tells that it is not.
  await writeFile(join(checkout.root, 'node_modules/.package-lock.json'), '');
  first.child.kill('SIGTERM');
  assert.equal((await first.ended).exitCode, 143);
  await rm(join(checkout.root, 'npm.waits'));
  const second = await checkout.call('two');
  assert.equal(second.stdout, '["two"]\n');
  assert.match(second.stderr, /was not finished/);
  assert.equal(await checkout.installs(), 2);
});

test('where only the launcher was killed, the next call waits for the npm it left', async (t) => {
  const checkout = await makeCheckout(t);
  await writeFile(join(checkout.root, 'npm.waits'), '');
  const first = checkout.start(['one']);
  await appears(join(checkout.root, 'npm.waiting'));
  first.child.kill('SIGKILL');
  await first.ended;
  const second = checkout.start(['two']);
  const said = await new Promise<string>((resolve) =>
    second.child.stderr?.once('data', (text: string) => resolve(text)),
  );
  assert.match(said, /waiting for process/);
  await rm(join(checkout.root, 'npm.waits'));
  assert.equal((await second.ended).stdout, '["two"]\n');
});

test('an install that fails names its log, shows what went wrong, and is tried again', async (t) => {
  const checkout = await makeCheckout(t);
  const usage = Array.from({ length: 30 }, (_, i) => `npm notice line ${i}`).join('\n');
  await writeFile(
    join(checkout.root, 'npm.fails'),
    `npm error code ENOTFOUND\nnpm error no network\n${usage}\n`,
  );
  const failed = await checkout.call('status');
  assert.equal(failed.exitCode, 1);
  assert.match(failed.stderr, /code ENOTFOUND\nnpm error no network\ndbox: /);
  assert.match(failed.stderr, /npm ci ended with 7.*\.dbox-install\.log/);
  assert.match(await readFile(join(checkout.root, '.dbox-install.log'), 'utf8'), /npm says hello/);
  await rm(join(checkout.root, 'npm.fails'));
  assert.equal((await checkout.call('status')).stdout, '["status"]\n');
});

test('what is missing or too old is named with what to do', async (t) => {
  const checkout = await makeCheckout(t);
  // Only what the script itself needs, so that the host's own programs are not found.
  const tools = join(checkout.bin, '..', 'tools');
  await mkdir(tools);
  for (const name of ['sh', 'ln', 'readlink', 'mv', 'rm', 'sleep', 'tail', 'touch', 'mkdir']) {
    await symlink(`/bin/${name}`, join(tools, name)).catch(() => {});
  }
  const path = { PATH: `${checkout.bin}:${tools}` };
  await writeFile(join(checkout.bin, 'node'), '#!/bin/sh\necho v18.19.0\n', { mode: 0o755 });
  assert.match((await checkout.start([], path).ended).stderr, /v18\.19\.0 is too old[\s\S]*20 or newer/);
  for (const [name, told] of [
    ['npm', /npm is not installed/],
    ['node', /Node\.js is not installed/],
    ['git', /git is not installed[\s\S]*apt-get install git/],
  ] as const) {
    await rm(join(checkout.bin, name));
    const { exitCode, stderr } = await checkout.start([], path).ended;
    assert.equal(exitCode, 1);
    assert.match(stderr, told);
  }
  assert.equal(await checkout.installs(), 0);
});
