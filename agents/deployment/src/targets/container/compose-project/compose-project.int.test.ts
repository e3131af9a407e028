import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemClock } from '@dbox/agent-sdk';
import { skipWithoutEngine } from '../../../engine/testing/find-engine.ts';
import { waitUntilReady } from '../../../wait-until-ready.ts';
import type { ReleaseRun, RunningRelease } from '../../target.ts';
import { get } from '../../testing/target.testsuite.ts';
import { openContainerBench } from '../testing/container-bench.ts';

const skip = await skipWithoutEngine();
const PLAN = { kind: 'compose', path: 'compose.yaml', from: 'compose.yaml' } as const;
const DOCKERFILE =
  'FROM node:24-bookworm-slim\nCOPY *.js /\nUSER node\nEXPOSE 3000\nCMD ["node", "/web.js"]\n';

/** Asks the database whether it speaks TLS, which needs no library: it answers with one letter. */
const WEB = `
const { connect } = require('node:net');
require('node:http').createServer((req, res) => {
  if (req.url === '/env') return res.end(JSON.stringify(process.env));
  if (req.url === '/exit') process.exit(4);
  const db = connect(5432, 'db', () => db.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])));
  db.once('data', (answer) => res.end('db ' + answer) && db.destroy());
  db.once('error', (error) => res.end(error.message));
}).listen(process.env.PORT);
`;

const WITH_DATABASE = `
services:
  web:
    build: .
    ports: ["3000"]
    environment:
      DATABASE_URL: postgres://app:\${DB_PASSWORD}@db:5432/app
    depends_on:
      db: { condition: service_healthy }
  db:
    image: postgres:17
    environment:
      POSTGRES_USER: app
      POSTGRES_PASSWORD: \${DB_PASSWORD:?the database needs a password}
    volumes: [pgdata:/var/lib/postgresql/data]
    healthcheck: { test: ["CMD-SHELL", "pg_isready -h 127.0.0.1 -U app"] }
volumes:
  pgdata:
`;

async function benchOf(t: TestContext, files: Readonly<Record<string, string>>) {
  const bench = await openContainerBench(t);
  const dir = await mkdtemp(join(tmpdir(), 'compose-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const tree = join(dir, 'tree');
  await mkdir(tree);
  for (const [path, text] of Object.entries(files)) await writeFile(join(tree, path), text);
  const target = bench.open();
  const lines: string[] = [];
  const onLine = (_stream: string, line: string) => void lines.push(line);
  const run: ReleaseRun = {
    releaseId: 'rel_0000000001',
    project: 'demo',
    environment: 'dev',
    commit: 'c'.repeat(40),
    runPlan: PLAN,
    image: null,
    settingsVersion: 1,
    settings: {},
    tree,
  };
  const build = (what: ReleaseRun) => target.build(what, { signal: t.signal, onLine });
  async function launched(what: ReleaseRun): Promise<RunningRelease> {
    const built = await build(what);
    assert.ok(built.ok, JSON.stringify(built));
    return target.start({ ...what, image: built.image }, { marker: 'x', onLine, signal: t.signal });
  }
  async function started(what: ReleaseRun): Promise<RunningRelease> {
    const release = await launched(what);
    const readiness = await waitUntilReady({
      release,
      signal: t.signal,
      clock: systemClock,
      timeoutMs: 30_000,
    });
    assert.equal(readiness.kind, 'ready', `${JSON.stringify(readiness)}\n${lines.join('\n')}`);
    return release;
  }
  const services = () => bench.engine.listContainers(['dbox.role=service']);
  return { ...bench, target, run, build, launched, started, services, lines };
}

test('a web service with a database: the database lives on while releases switch', { skip }, async (t) => {
  const files = { 'compose.yaml': WITH_DATABASE, Dockerfile: DOCKERFILE, 'web.js': WEB };
  const { run, started, services, target, engine } = await benchOf(t, files);
  const settings = { DB_PASSWORD: 'canary-4711' };
  const first = await started({ ...run, settings });
  assert.match((await get(first.target, '/')).body, /^db [NS]$/);
  const env = JSON.parse((await get(first.target, '/env')).body);
  assert.equal(env.DATABASE_URL, 'postgres://app:canary-4711@db:5432/app');
  const [db, ...others] = await services();
  assert.deepEqual(others, []);
  assert.equal(db?.State, 'running');

  const second = await started({ ...run, settings, releaseId: 'rel_0000000002' });
  await first.stop(0);
  assert.match((await get(second.target, '/')).body, /^db [NS]$/);
  assert.deepEqual(
    (await services()).map(({ Id }) => Id),
    [db.Id],
  );
  const told = JSON.stringify(await engine.listContainers());
  assert.equal(told.includes('canary'), false);

  const third = await started({
    ...run,
    settings: { DB_PASSWORD: 'other' },
    releaseId: 'rel_0000000003',
  });
  assert.match((await get(third.target, '/')).body, /^db [NS]$/);
  const [renewed] = await services();
  assert.notEqual(renewed?.Id, db.Id);

  await second.stop(0);
  await third.stop(0);
  await target.keepOnly([]);
  const ended = await engine.inspectContainer(renewed!.Id);
  // Zero: it has written down what it had, and was not killed.
  assert.deepEqual([ended?.State.Running, ended?.State.ExitCode], [false, 0]);
});

test('a setting that the file asks for and nobody has set is named before anything starts', {
  skip,
}, async (t) => {
  const files = { 'compose.yaml': WITH_DATABASE, Dockerfile: DOCKERFILE, 'web.js': WEB };
  const { run, launched, services } = await benchOf(t, files);
  const release = await launched(run);
  const { cause, detail } = await release.exited;
  assert.equal(cause, 'commit');
  assert.match(detail, /compose\.yaml:14:.*DB_PASSWORD.*dbox env set/);
  assert.deepEqual(await services(), []);
});

const WITH_WORKER = `
services:
  migrate:
    build: .
    command: ["node", "/migrate.js"]
  web:
    build: .
    ports: ["3000"]
    depends_on:
      migrate: { condition: service_completed_successfully }
  worker:
    build: .
    command: ["node", "/worker.js"]
`;

test('a job runs first, a worker beside; when the worker fails the release ends', { skip }, async (t) => {
  const worker = `console.log('working');
require('node:fs').existsSync(process.env.DATA_DIR + '/migrated') || process.exit(9);
process.on('SIGUSR2', () => process.exit(5)); setInterval(() => {}, 1000);`;
  const migrate = `require('node:fs').writeFileSync(process.env.DATA_DIR + '/migrated', ''); console.log('migrated')`;
  const files = {
    'compose.yaml': WITH_WORKER,
    Dockerfile: DOCKERFILE,
    'web.js': WEB,
    'worker.js': worker,
    'migrate.js': migrate,
  };
  const { run, started, engine, box, lines, open } = await benchOf(t, files);
  const release = await started(run);
  assert.ok(lines.includes('migrate: migrated'), lines.join('\n'));
  const parts = await engine.listContainers(['dbox.role=part']);
  assert.equal(parts.length, 1);

  const [former] = await open().recover('x');
  assert.deepEqual([former?.releaseId, former?.isRunning], [run.releaseId, true]);
  const taken = await former!.take({ since: null, onLine: () => undefined });
  await engine.stopContainer(parts[0]!.Id, 0);
  for (const { exited } of [release, taken]) {
    const exit = await exited;
    assert.match(exit.detail, /its service worker/);
  }
  assert.deepEqual(await engine.listContainers(['dbox.role=part']), []);
  const web = await engine.inspectContainer(`${box}-rel-0000000001`);
  assert.equal(web?.State.Running, false);
});

test('a job that fails keeps the release from starting, and what it printed is told', { skip }, async (t) => {
  const files = {
    'compose.yaml': WITH_WORKER,
    Dockerfile: DOCKERFILE,
    'web.js': WEB,
    'worker.js': '',
    'migrate.js': `console.error('no such table'); process.exit(2)`,
  };
  const { run, launched, engine, lines } = await benchOf(t, files);
  const release = await launched(run);
  const exit = await release.exited;
  assert.match(exit.detail, /migrate, which runs before the others, failed \(exit 2\)/);
  assert.ok(lines.includes('migrate: no such table'));
  assert.deepEqual(await engine.listContainers(), []);
});

test('a compose file that asks for the host is refused by name and line', { skip }, async (t) => {
  const files = {
    'compose.yaml': 'services:\n  web:\n    build: .\n    privileged: true\n    volumes: ["/:/host"]\n',
    Dockerfile: DOCKERFILE,
    'web.js': WEB,
  };
  const { run, build } = await benchOf(t, files);
  const built = await build(run);
  assert.ok(!built.ok);
  assert.equal(built.cause, 'commit');
  assert.match(built.outputTail, /compose\.yaml:4:.*privileged/);
  assert.match(built.outputTail, /compose\.yaml:5:/);
});

test('an image of a name that cannot be one is the fault of the commit', { skip }, async (t) => {
  for (const image of ['Postgres:17', 'team//app']) {
    const { run, build } = await benchOf(t, { 'compose.yaml': `services: {web: {image: "${image}"}}\n` });
    const built = await build(run);
    assert.ok(!built.ok);
    assert.equal(built.cause, 'commit', `${image}: ${built.detail}`);
  }
});
