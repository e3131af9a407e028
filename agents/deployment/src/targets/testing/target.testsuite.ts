import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemClock } from '@dbox/agent-sdk';
import type { Target } from '@dbox/contracts';
import { waitUntilReady } from '../../wait-until-ready.ts';
import type { DeploymentTarget, ReleaseRun, RunningRelease } from '../target.ts';

export interface TargetUnderTest {
  readonly name: string;
  /** Where a release listens: with others on one loopback, or on all addresses of a network of its own. */
  readonly host: string;
  readonly open: (
    directories: { readonly dataDir: string; readonly runtimeDir: string },
    t: TestContext,
  ) => Promise<DeploymentTarget>;
}

/** A small app of node alone that tells about itself. */
export const TELLING_APP = `
const { createServer } = require('node:http');
const { appendFileSync, readFileSync } = require('node:fs');
const { join } = require('node:path');
const file = join(process.env.DATA_DIR, 'visits');
console.log('app started');
createServer((req, res) => {
  if (req.url === '/env') return res.end(JSON.stringify(process.env));
  if (req.url === '/exit') process.exit(3);
  if (req.url !== '/visit') return res.end('here');
  appendFileSync(file, 'x');
  res.end(readFileSync(file, 'utf8'));
}).listen(Number(process.env.PORT), process.env.HOST);
`;

/** What every deployment target must do. Its `markers` begin with \`suite/\`. */
export function describeTarget(under: TargetUnderTest): void {
  const named = (behaviour: string) => `${under.name}: ${behaviour}`;

  test(named('a release answers at its target and knows what it is'), async (t) => {
    const { run, started } = await bench(t, under, { 'app.js': TELLING_APP });
    const release = await started(run);
    const env = JSON.parse((await get(release.target, '/env')).body);
    assert.equal(env.DBOX_RELEASE, run.releaseId);
    assert.equal(env.DBOX_COMMIT, run.commit);
    assert.equal(env.NODE_ENV, 'production');
    assert.equal(env.HOST, under.host);
    assert.equal(env.HOME === process.env.HOME, false);
  });

  test(named('settings are variables of the release and never part of a command line'), async (t) => {
    const { run, started } = await bench(t, under, { 'app.js': TELLING_APP });
    const value = `canary "quoted" $HOME\nsecond line ${run.releaseId}`;
    const release = await started({ ...run, settings: { GREETING: value, NODE_ENV: 'test' } });
    const env = JSON.parse((await get(release.target, '/env')).body);
    assert.equal(env.GREETING, value);
    assert.equal(env.NODE_ENV, 'test');
    assert.deepEqual(await commandLinesHolding('canary "quoted"'), []);
  });

  test(named('two releases of one environment run side by side on the same data'), async (t) => {
    const { run, started } = await bench(t, under, { 'app.js': TELLING_APP });
    const [a, b] = [await started(run), await started({ ...run, releaseId: 'rel_0000000002' })];
    assert.equal((await get(a.target, '/visit')).body, 'x');
    assert.equal((await get(b.target, '/visit')).body, 'xx');
    await a.stop(1_000);
    assert.equal((await get(b.target, '/visit')).body, 'xxx');
  });

  test(named('what it prints is told line by line'), async (t) => {
    const { run, started, lines } = await bench(t, under, { 'app.js': TELLING_APP });
    await started(run);
    assert.deepEqual(lines, ['stdout app started']);
  });

  test(named('an exit is told with its code'), async (t) => {
    const { run, started } = await bench(t, under, { 'app.js': TELLING_APP });
    const release = await started(run);
    await get(release.target, '/exit').catch(() => undefined);
    const exit = await release.exited;
    assert.deepEqual([exit.exitCode, exit.cause], [3, 'commit']);
  });

  test(named('a stopped release no longer answers'), async (t) => {
    const { run, started } = await bench(t, under, { 'app.js': TELLING_APP });
    const release = await started(run);
    await release.stop(5_000);
    await release.exited;
    await assert.rejects(get(release.target, '/'));
  });

  test(
    named('what a killed life has left ends, or is taken over with all it goes on printing'),
    async (t) => {
      const { run, started, reopened } = await bench(t, under, { 'app.js': TELLING_APP });
      const release = await started(run);
      const heir = await reopened();
      const [former, ...others] = await heir.recover('suite/');
      assert.deepEqual(others, []);
      if (former === undefined) {
        await release.exited;
        await assert.rejects(get(release.target, '/'));
        return;
      }
      assert.deepEqual([former.releaseId, former.isRunning], [run.releaseId, true]);
      const lines: string[] = [];
      const taken = await former.take({
        since: null,
        onLine: (stream, line) => lines.push(`${stream} ${line}`),
      });
      assert.deepEqual(taken.target, release.target);
      await get(taken.target, '/exit').catch(() => undefined);
      assert.equal((await taken.exited).exitCode, 3);
      assert.deepEqual(lines, ['stdout app started']);
    },
  );

  test(named('a build that fails is the commit’s fault and shows its output'), async (t) => {
    const { run, target } = await bench(t, under, {});
    const runPlan = { ...run.runPlan, build: 'echo broken thing; exit 4' };
    const built = await target.build({ ...run, runPlan }, quiet());
    assert.ok(!built.ok);
    assert.equal(built.cause, 'commit');
    assert.match(built.outputTail, /broken thing/);
  });

  test(named('what the build makes is served'), async (t) => {
    const { run, started } = await bench(t, under, {});
    const runPlan = {
      kind: 'static',
      build: 'mkdir dist && echo made > dist/index.html',
      root: 'dist',
      from: 'dbox.yaml',
    } as const;
    const release = await started({ ...run, runPlan });
    const answer = await get(release.target, '/');
    assert.equal(answer.body, 'made\n');
    assert.equal(answer.type, 'text/html; charset=utf-8');
  });

  test(
    named('static files give their type, pages, a 404 page, and nothing that is hidden or outside'),
    async (t) => {
      const { run, started } = await bench(t, under, {
        'secret.txt': 'outside',
        'site/index.html': 'home',
        'site/about.html': 'about',
        'site/blog/index.html': 'blog',
        'site/app.js': 'let a',
        'site/.env': 'hidden',
        'site/.git/config': 'hidden',
        'site/404.html': 'nothing here',
      });
      await symlink('../secret.txt', join(run.tree, 'site/leak.txt'));
      await symlink('/etc', join(run.tree, 'site/etc'));
      await symlink('.', join(run.tree, 'site/loop'));
      await symlink('about.html', join(run.tree, 'site/alias.html'));
      const runPlan = { kind: 'static', build: null, root: 'site', from: 'static files' } as const;
      const { target } = await started({ ...run, runPlan });
      const seen = async (path: string) => {
        const { status, body } = await get(target, path);
        return `${status} ${body}`;
      };
      assert.equal(await seen('/'), '200 home');
      assert.equal(await seen('/about'), '200 about');
      assert.equal(await seen('/blog/'), '200 blog');
      assert.match(await seen('/blog'), /^308/);
      assert.equal(await seen('/alias'), '200 about');
      assert.equal((await get(target, '/app.js')).type, 'text/javascript; charset=utf-8');
      for (const path of [
        '/.env',
        '/.git/config',
        '/leak.txt',
        '/etc/passwd',
        '/loop/index.html',
        '/../secret.txt',
        '/%2e%2e/secret.txt',
        '/..%2fsecret.txt',
      ]) {
        assert.equal(await seen(path), '404 nothing here', path);
      }
    },
  );

  test(named('a directory to serve that leads out of the tree is refused'), async (t) => {
    const { run, target } = await bench(t, under, {});
    await symlink('/etc', join(run.tree, 'site'));
    const runPlan = { kind: 'static', build: null, root: 'site', from: 'dbox.yaml' } as const;
    const built = await target.build({ ...run, runPlan }, quiet());
    assert.equal(built.ok ? 'built' : built.cause, 'commit');
  });
}

function quiet() {
  return { signal: new AbortController().signal, onLine: () => undefined };
}

/** What any user of the host can read of its processes. */
async function commandLinesHolding(text: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return lines.filter((line) => line.includes(text));
}

async function bench(t: TestContext, under: TargetUnderTest, files: Readonly<Record<string, string>>) {
  const dir = await mkdtemp(join(tmpdir(), 'target-'));
  const releases: RunningRelease[] = [];
  t.after(async () => {
    for (const release of releases) await release.stop(0);
    await rm(dir, { recursive: true, force: true });
  });
  const tree = join(dir, 'tree');
  await mkdir(tree);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(tree, path)), { recursive: true });
    await writeFile(join(tree, path), text);
  }
  const reopened = () => under.open({ dataDir: join(dir, 'data'), runtimeDir: join(dir, 'run') }, t);
  const target = await reopened();
  const lines: string[] = [];
  const run: ReleaseRun = {
    releaseId: 'rel_0000000001',
    project: 'demo',
    environment: 'dev',
    commit: 'c'.repeat(40),
    runPlan: { kind: 'command', build: null, run: 'node app.js', from: 'dbox.yaml' },
    image: null,
    settingsVersion: 0,
    settings: {},
    tree,
  };
  async function started(what: ReleaseRun): Promise<RunningRelease> {
    const built = await target.build(what, quiet());
    assert.ok(built.ok, JSON.stringify(built));
    const { image } = built;
    const release = await target.start(
      { ...what, image },
      {
        marker: `suite/${what.releaseId}`,
        onLine: (stream, line) => lines.push(`${stream} ${line}`),
      },
    );
    releases.push(release);
    const readiness = await waitUntilReady({
      release,
      signal: t.signal,
      clock: systemClock,
      timeoutMs: 20_000,
    });
    assert.equal(readiness.kind, 'ready', lines.join('\n'));
    return release;
  }
  return { run, target, started, reopened, lines };
}

export function get(target: Target, path: string): Promise<{ status: number; type: string; body: string }> {
  return new Promise((resolve, reject) => {
    const address =
      target.kind === 'socket' ? { socketPath: target.path } : { host: target.host, port: target.port };
    const req = request({ ...address, path, agent: false }, (res) => {
      let body = '';
      res.setEncoding('utf8').on('data', (chunk) => {
        body += chunk;
      });
      res.once('end', () =>
        resolve({ status: res.statusCode ?? 0, type: res.headers['content-type'] ?? '', body }),
      );
      res.once('error', reject);
    });
    req.once('error', reject);
    req.end();
  });
}
