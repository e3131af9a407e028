import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startGateway } from './start-gateway.ts';
import { startFakeManager } from './testing/fake-manager.ts';
import { startFakeRelease } from './testing/fake-release.ts';
import { TEST_PAIR } from './testing/tls-pair.ts';

function ask(scheme: 'http' | 'https', port: number, host: string) {
  return new Promise<{ status: number | undefined; location: string | undefined }>((resolve, reject) => {
    const options = { port, host: '127.0.0.1', path: '/a?b=1', headers: { host: `${host}:${port}` } };
    const request =
      scheme === 'http'
        ? plainRequest({ ...options, agent: false })
        : secureRequest({ ...options, servername: 'box.example.org', ca: TEST_PAIR.cert, agent: false });
    request.once('error', reject);
    request.once('response', (response) => {
      response.resume();
      resolve({ status: response.statusCode, location: response.headers.location });
    });
    request.end();
  });
}

test('with TLS a site is served by https, its probes go on by http, and visitors by http are sent on', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'gw-'));
  const manager = await startFakeManager();
  const release = await startFakeRelease('a');
  const gateway = await startGateway({
    managerUrl: manager.url,
    token: 'gw',
    stateFile: join(dir, 'routes.json'),
    host: '127.0.0.1',
    tls: TEST_PAIR,
  });
  t.after(async () => {
    await gateway.stop({ graceMs: 0 });
    await release.close();
    await manager.close();
    await rm(dir, { recursive: true });
  });
  const { listeners } = await manager.offer([
    { project: 'blog', environment: 'dev', port: 0, releaseId: 'rel_0000000001', target: release.target },
  ]);
  const { port } = listeners[0]!;
  assert.equal((await ask('https', port, 'box.example.org')).status, 200);
  assert.equal((await ask('http', port, 'devsite')).status, 200);
  assert.deepEqual(await ask('http', port, 'box.example.org'), {
    status: 308,
    location: `https://box.example.org:${port}/a?b=1`,
  });
  // The end of the test waits for the gateway's, which waits for nobody who never spoke.
  const silent = connect(port, '127.0.0.1').on('error', () => {});
  t.after(() => silent.destroy());
  await once(silent, 'connect');
  const begunMs = performance.now();
  await gateway.stop({ graceMs: 0 });
  assert.ok(performance.now() - begunMs < 4_000);
});
