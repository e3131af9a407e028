import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { startTestServer } from './testing/test-server.ts';
import { TEST_PAIR } from './testing/tls-pair.ts';

interface Asked {
  readonly status: number | undefined;
  readonly text: string;
}

function ask(scheme: 'http' | 'https', port: number, host: string): Promise<Asked> {
  return new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', path: '/healthz', headers: { host: `${host}:${port}` } };
    const request =
      scheme === 'http'
        ? plainRequest(options)
        : secureRequest({ ...options, servername: 'box.example.org', ca: TEST_PAIR.cert, agent: false });
    request.once('error', reject);
    request.once('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.once('end', () => resolve({ status: response.statusCode, text }));
    });
    request.end();
  });
}

const startSecure = (t: TestContext) =>
  startTestServer(
    t,
    { getHealth: async () => ({ ok: true, version: '0' }) as never },
    { tls: TEST_PAIR, hostNames: ['box.example.org'], plainHostNames: ['manager'] },
  );

test('with TLS people are answered by https, and by http only the own services and this machine', async (t) => {
  const { running } = await startSecure(t);
  assert.equal((await ask('https', running.port, 'box.example.org')).status, 200);
  assert.equal((await ask('http', running.port, 'manager')).status, 200);
  assert.equal((await ask('http', running.port, '127.0.0.1')).status, 200);
  const refused = await ask('http', running.port, 'box.example.org');
  assert.equal(refused.status, 403);
  assert.match(refused.text, /https/);
});

test('a connection that never speaks, or speaks neither, hurts nobody, and a stop does not wait for it', async (t) => {
  const { running, raw } = await startSecure(t);
  assert.match(await raw('nonsense\r\n\r\n'), /^HTTP\/1\.1 400/);
  await raw(new Uint8Array([0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0, 0]));
  assert.equal((await ask('https', running.port, 'box.example.org')).status, 200);
  // One says nothing at all, the other begins a handshake.
  const silent = [connect(running.port, '127.0.0.1'), connect(running.port, '127.0.0.1')];
  for (const socket of silent) socket.on('error', () => {});
  t.after(() => silent.forEach((socket) => void socket.destroy()));
  await Promise.all(silent.map((socket) => once(socket, 'connect')));
  await new Promise((sent) => silent[1]!.write(new Uint8Array([0x16, 3, 1]), sent));
  const begunMs = performance.now();
  await running.close();
  assert.ok(performance.now() - begunMs < 4_000, 'it ends them');
});
