import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, watch, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { processIsAlive } from './box-state.ts';
import { EXIT } from './exit-codes.ts';
import type { FakeManager, Handlers } from './testing/fake-manager.ts';
import { RawAnswer, startFakeManager } from './testing/fake-manager.ts';
import type { Ended } from './testing/run-main.ts';
import { makeWorkspace, runMain, startMain } from './testing/run-main.ts';
import { COMMIT } from './testing/sample-answers.ts';

const run = promisify(execFile);
const gitEnv = {
  PATH: process.env.PATH ?? '',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@example.org',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@example.org',
};
const git = async (cwd: string, ...args: string[]): Promise<string> =>
  (await run('git', args, { cwd, env: gitEnv })).stdout.trim();

const PROJECT = {
  name: 'shop',
  createdAt: '2026-01-02T03:04:05.678Z',
  mainCommit: COMMIT,
  origin: 'import' as const,
};

interface SetUp {
  readonly manager: FakeManager;
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  dbox(...args: string[]): Promise<Ended>;
  /** Clones what was uploaded and gives its directory. */
  unpack(): Promise<string>;
}

async function setUp(t: TestContext, handlers: Handlers = {}): Promise<SetUp> {
  const manager = await startFakeManager({ addProject: () => PROJECT, ...handlers });
  const space = await makeWorkspace();
  await space.announce({ url: manager.url });
  t.after(async () => {
    await manager.close();
    await space.remove();
  });
  return {
    manager,
    dir: space.dir,
    env: space.env,
    dbox: (...args) => runMain(args, { env: { ...space.env, HOME: space.dir }, cwd: space.dir }),
    unpack: async () => {
      const bundle = manager.requests.at(-1)?.body;
      assert.ok(bundle);
      await writeFile(join(space.dir, 'got.bundle'), bundle);
      await git(space.dir, 'clone', '--quiet', '-b', 'dbox', 'got.bundle', 'got');
      return join(space.dir, 'got');
    },
  };
}

test('an empty project is made without a body', async (t) => {
  const { manager, dbox } = await setUp(t);
  assert.equal((await dbox('project', 'add', 'shop')).exitCode, EXIT.ok);
  assert.equal(manager.requests[0]?.params.project, 'shop');
  assert.equal(manager.requests[0]?.body.length, 0);
});

test('a directory is brought as one commit, without what .gitignore names', async (t) => {
  const { dir, dbox, unpack } = await setUp(t);
  await mkdir(join(dir, 'site/node_modules'), { recursive: true });
  await writeFile(join(dir, 'site/.gitignore'), 'node_modules\n');
  await writeFile(join(dir, 'site/node_modules/x.js'), 'x');
  await writeFile(join(dir, 'site/index.html'), 'hi');
  const { exitCode, stdout } = await dbox('project', 'add', 'shop', '--from', 'site', '--json');
  assert.equal(exitCode, EXIT.ok);
  assert.deepEqual(JSON.parse(stdout), PROJECT);
  const got = await unpack();
  assert.deepEqual((await readdir(got)).sort(), ['.git', '.gitignore', 'index.html']);
  assert.equal(await git(got, 'rev-list', '--count', 'HEAD'), '1');
  assert.deepEqual((await readdir(join(dir, 'site'))).sort(), ['.gitignore', 'index.html', 'node_modules']);
});

test('a repository is brought with the history of its HEAD and no other branch, hooks never run', async (t) => {
  const { dir, dbox, unpack } = await setUp(t);
  await mkdir(join(dir, 'repo'));
  const repo = join(dir, 'repo');
  await git(repo, 'init', '--quiet', '-b', 'trunk');
  await git(repo, 'commit', '--quiet', '--allow-empty', '-m', 'one');
  await git(repo, 'checkout', '--quiet', '-b', 'secret');
  await git(repo, 'commit', '--quiet', '--allow-empty', '-m', 'not yours');
  await git(repo, 'checkout', '--quiet', 'trunk');
  await git(repo, 'commit', '--quiet', '--allow-empty', '-m', 'two');
  await writeFile(join(repo, 'loose.txt'), 'not committed');
  const { exitCode, stderr } = await dbox('project', 'add', 'shop', '--from', repo);
  assert.equal(exitCode, EXIT.ok, stderr);
  assert.match(stderr, /not committed stay behind/);
  const got = await unpack();
  assert.equal(await git(got, 'log', '--format=%s', '--all'), 'two\none');
  assert.equal(await git(got, 'rev-parse', 'HEAD'), await git(repo, 'rev-parse', 'HEAD'));
});

test('a URL and a detached HEAD are brought alike', async (t) => {
  const { dir, dbox, unpack } = await setUp(t);
  const repo = join(dir, 'repo');
  await mkdir(repo);
  await git(repo, 'init', '--quiet');
  await git(repo, 'commit', '--quiet', '--allow-empty', '-m', 'one');
  await git(repo, 'checkout', '--quiet', '--detach');
  const { exitCode, stderr } = await dbox('project', 'add', 'shop', '--from', `file://${repo}`);
  assert.equal(exitCode, EXIT.ok, stderr);
  assert.equal(await git(await unpack(), 'log', '--format=%s'), 'one');
});

test('a directory that holds another repository is refused, because its files would be lost', async (t) => {
  const { dir, manager, dbox } = await setUp(t);
  await mkdir(join(dir, 'site/inner'), { recursive: true });
  await git(join(dir, 'site/inner'), 'init', '--quiet');
  await git(join(dir, 'site/inner'), 'commit', '--quiet', '--allow-empty', '-m', 'x');
  const { exitCode, stderr } = await dbox('project', 'add', 'shop', '--from', 'site');
  assert.equal(exitCode, EXIT.usage);
  assert.match(stderr, /site\/inner is a git repository of its own/);
  assert.deepEqual(manager.requests, []);
});

test('a source that cannot be read is told and nothing is made', async (t) => {
  const { dir, manager, dbox } = await setUp(t);
  await mkdir(join(dir, 'empty'));
  assert.match((await dbox('project', 'add', 'shop', '--from', 'empty')).stderr, /holds no file to bring/);
  assert.match((await dbox('project', 'add', 'shop', '--from', 'gone')).stderr, /gone is no directory/);
  const url = await dbox('project', 'add', 'shop', '--from', `file://${dir}/gone`);
  assert.equal(url.exitCode, EXIT.failed);
  assert.match(url.stderr, /git fetch did not work/);
  assert.match((await dbox('project', 'add', 'shop', '--from', 'ext::sh -c id')).stderr, /is no directory/);
  assert.deepEqual(manager.requests, []);
});

test('without git the person is told what to install', async (t) => {
  const { dir } = await setUp(t);
  await mkdir(join(dir, 'site'));
  const { exitCode, stderr } = await runMain(['project', 'add', 'shop', '--from', join(dir, 'site')], {
    env: { PATH: dir },
  });
  assert.equal(exitCode, EXIT.failed);
  assert.match(stderr, /git is not installed[\s\S]*apt-get install git/);
});

test('Ctrl-C while git works ends git, cleans up and makes nothing', async (t) => {
  const { manager, dir, env } = await setUp(t);
  // A git that says it is there and then never ends.
  const bin = join(dir, 'bin');
  await mkdir(bin);
  await writeFile(
    join(bin, 'git'),
    `#!/bin/sh\necho $$ > '${dir}/made'\nmv '${dir}/made' '${dir}/git.pid'\nexec sleep 600\n`,
    {
      mode: 0o755,
    },
  );
  const temp = join(dir, 'tmp');
  await mkdir(temp);
  const changes = watch(dir);
  const running = startMain(['project', 'add', 'shop', '--from', '.'], {
    env: { ...env, PATH: `${bin}:/usr/bin:/bin`, TMPDIR: temp },
    cwd: dir,
  });
  for await (const change of changes) if (change.filename === 'git.pid') break;
  running.child.kill('SIGINT');
  const { exitCode, stderr } = await running.ended;
  assert.equal(exitCode, EXIT.usage);
  assert.match(stderr, /Stopped; nothing was changed/);
  assert.deepEqual(await readdir(temp), []);
  assert.equal(processIsAlive(Number(await readFile(join(dir, 'git.pid'), 'utf8'))), false);
  assert.deepEqual(manager.requests, []);
});

test('a clone is a repository on main with the history and without a remote', async (t) => {
  let bundle: Buffer = Buffer.alloc(0);
  const { dir, dbox } = await setUp(t, { getProjectBundle: () => new RawAnswer(bundle) });
  bundle = await makeBundle(dir);
  const repo = join(dir, 'repo');
  const { exitCode, stdout } = await dbox('clone', 'shop');
  assert.equal(exitCode, EXIT.ok);
  assert.equal(stdout, `${join(dir, 'shop')}\n`);
  const got = join(dir, 'shop');
  assert.equal(await git(got, 'rev-parse', 'main'), await git(repo, 'rev-parse', 'main'));
  assert.equal(await git(got, 'status', '--porcelain'), '');
  assert.equal(await git(got, 'remote'), '');
  assert.equal(await git(got, 'for-each-ref', '--format=%(refname)'), 'refs/heads/main');
  const again = await dbox('clone', 'shop');
  assert.equal(again.exitCode, EXIT.usage);
  assert.match(again.stderr, /is there already and not empty/);
});

test('a clone that breaks leaves no half directory behind', async (t) => {
  let bundle: Buffer = Buffer.alloc(0);
  const { dir, dbox } = await setUp(t, { getProjectBundle: () => new RawAnswer(bundle) });
  const whole = await makeBundle(dir);
  // The head of the bundle is whole, so git only finds out once the directory is there.
  bundle = whole.subarray(0, whole.length - 10);
  const { exitCode, stderr } = await dbox('clone', 'shop');
  assert.equal(exitCode, EXIT.failed);
  assert.match(stderr, /git fetch did not work/);
  assert.ok(!(await readdir(dir)).includes('shop'));
});

async function makeBundle(dir: string): Promise<Buffer> {
  const repo = join(dir, 'repo');
  await mkdir(repo);
  await git(repo, 'init', '--quiet', '-b', 'main');
  await writeFile(join(repo, 'index.html'), 'hi');
  await git(repo, 'add', '.');
  await git(repo, 'commit', '--quiet', '-m', 'one');
  await git(repo, 'bundle', 'create', '--quiet', '../b', 'main');
  return readFile(join(dir, 'b'));
}
