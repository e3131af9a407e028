import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { startGateway } from './start-gateway.ts';
import { startFakeManager } from './testing/fake-manager.ts';
import { startFakeRelease } from './testing/fake-release.ts';
import { TEST_PAIR } from './testing/tls-pair.ts';

function ask(scheme: 'http' | 'https', port: number, host: string) {
  return new Promise<{ status: number | undefined; location: string | undefined; body: string }>(
    (resolve, reject) => {
      const options = { port, host: '127.0.0.1', path: '/a?b=1', headers: { host: `${host}:${port}` } };
      const request =
        scheme === 'http'
          ? plainRequest({ ...options, agent: false })
          : secureRequest({ ...options, servername: 'box.example.org', ca: TEST_PAIR.cert, agent: false });
      request.once('error', reject);
      request.once('response', (response) => {
        const { statusCode: status, headers } = response;
        void text(response).then((body) => resolve({ status, location: headers.location, body }), reject);
      });
      request.end();
    },
  );
}

test('with TLS a site is served by https, its probes go on by http, and visitors by http are sent on', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'gw-'));
  const manager = await startFakeManager();
  const release = await startFakeRelease('a', {
    handle: (req, res) => void res.end(req.headers['x-forwarded-proto']),
  });
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
  const told = { status: 200, location: undefined };
  // An app that sends visitors on to https would do so for ever, were it told http.
  assert.deepEqual(await ask('https', port, 'box.example.org'), { ...told, body: 'https' });
  assert.deepEqual(await ask('http', port, 'devsite'), { ...told, body: 'http' });
  assert.deepEqual(await ask('http', port, 'box.example.org'), {
    status: 308,
    location: `https://box.example.org:${port}/a?b=1`,
    body: '',
  });
  // The end of the test waits for the gateway's, which waits for nobody who never spoke.
  const silent = connect(port, '127.0.0.1').on('error', () => {});
  t.after(() => silent.destroy());
  await once(silent, 'connect');
  const begunMs = performance.now();
  await gateway.stop({ graceMs: 0 });
  assert.ok(performance.now() - begunMs < 4_000);
});
