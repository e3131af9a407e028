import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '@dbox/agent-sdk';
import { findToolchain, openSandbox } from '@dbox/sandbox';
import { waitUntilReady } from '../wait-until-ready.ts';
import { createProcessTarget } from './process-target.ts';
import { describeTarget } from './testing/target.testsuite.ts';

const toolchain = await findToolchain();
const sandbox = await openSandbox({ toolchain });
const COMMAND = { kind: 'command', build: null, run: 'node app.js', from: 'dbox.yaml' } as const;
const none = await openSandbox({ toolchain, allowNone: true });

if (sandbox.kind === 'bubblewrap') {
  describeTarget({
    name: 'process in bubblewrap',
    host: '127.0.0.1',
    open: async (directories) => createProcessTarget({ ...directories, sandbox, allowUnsandboxed: false }),
  });
} else {
  test('process in bubblewrap', { skip: sandbox.missing ?? 'there is no sandbox' }, () => undefined);
}

describeTarget({
  name: 'process without a sandbox',
  host: '127.0.0.1',
  open: async (directories) => createProcessTarget({ ...directories, sandbox: none, allowUnsandboxed: true }),
});

/** On `/swap`, puts a link to another socket in the place of its own. */
const swappingApp = (victim: string) => `
const { rmSync, symlinkSync } = require('node:fs');
require('node:http').createServer((req, res) => {
  if (req.url === '/swap') {
    rmSync('/run/app/app.sock', { force: true });
    symlinkSync(${JSON.stringify(victim)}, '/run/app/app.sock');
  }
  res.setHeader('connection', 'close');
  res.end('release');
}).listen(process.env.PORT, process.env.HOST);
`;

test('a release that swaps its socket for a link does not lead anybody to another socket of the host', {
  skip: sandbox.missing ?? false,
}, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'd-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const victim = createServer((_req, res) => void res.end('victim'));
  await new Promise<void>((resolve) => victim.listen(join(directory, 'victim.sock'), resolve));
  t.after(() => {
    victim.closeAllConnections();
    victim.close();
  });
  await writeFile(join(directory, 'app.js'), swappingApp(join(directory, 'victim.sock')));
  const target = createProcessTarget({
    sandbox,
    allowUnsandboxed: false,
    dataDir: join(directory, 'data'),
    runtimeDir: join(directory, 'run'),
  });
  const release = await target.start(
    {
      releaseId: 'rel_0000000001',
      project: 'demo',
      environment: 'dev',
      commit: 'c'.repeat(40),
      runPlan: COMMAND,
      image: null,
      settingsVersion: 0,
      settings: {},
      tree: directory,
    },
    { marker: 'suite/swap', onLine: () => undefined },
  );
  t.after(() => release.stop(0));
  const { signal } = new AbortController();
  const readiness = await waitUntilReady({ release, signal, clock: systemClock, timeoutMs: 20_000 });
  assert.equal(readiness.kind, 'ready');
  assert.ok(release.target.kind === 'socket');
  const { path: socketPath } = release.target;
  const ask = (path: string) =>
    new Promise<string>((resolve, reject) => {
      get({ socketPath, path, agent: false }, async (res) => {
        let body = '';
        for await (const chunk of res) body += chunk;
        resolve(body);
      }).on('error', reject);
    });
  assert.equal(await ask('/swap'), 'release');
  assert.equal(await ask('/containers/json'), 'release');
});

const nowhere = { dataDir: '/nonexistent', runtimeDir: '/nonexistent', sandbox: none };

test('without a sandbox only the box’s own code runs, until a person allows others', () => {
  const strict = createProcessTarget({ ...nowhere, allowUnsandboxed: false });
  assert.match(strict.refusal({ trusted: false, runPlan: COMMAND }) ?? '', /--no-sandbox/);
  assert.equal(strict.refusal({ trusted: true, runPlan: COMMAND }), null);
  assert.equal(
    createProcessTarget({ ...nowhere, allowUnsandboxed: true }).refusal({ trusted: false, runPlan: COMMAND }),
    null,
  );
});

test('a directory whose socket paths would be too long is named instead of failing inside', async () => {
  const target = createProcessTarget({
    ...nowhere,
    runtimeDir: `/tmp/${'x'.repeat(100)}`,
    allowUnsandboxed: true,
  });
  const run = {
    releaseId: 'rel_0000000001',
    project: 'demo',
    environment: 'dev',
    commit: 'c'.repeat(40),
    runPlan: { kind: 'static', build: null, root: '.', from: 'static files' },
    image: null,
    settingsVersion: 0,
    settings: {},
    tree: '/tmp',
  } as const;
  await assert.rejects(target.start(run, { marker: 'suite/x', onLine: () => undefined }), /too long/);
});
