import assert from 'node:assert/strict';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { chattyService } from './chatty-service.ts';
import { failureCount, latencyAt, startHttpLoad } from './http-load.ts';
import { connectVisitor } from './web-socket-clients.ts';

async function serve(t: TestContext, handle: RequestListener): Promise<{ url: string; server: Server }> {
  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server };
}

/** Until this many have been answered. */
async function loadUntil(url: string, count: number) {
  const load = startHttpLoad({ url, requestsPerSecond: 300, postEvery: 5 });
  while (load.samples.length < count) await new Promise((wake) => setTimeout(wake, 5));
  return load.stop();
}

test('a server that does well has no failures, and the rate is what was asked for', async (t) => {
  const { url } = await serve(t, (_req, res) => void res.end('fine'));
  const startedMs = performance.now();
  const report = await loadUntil(url, 150);
  const elapsedMs = performance.now() - startedMs;
  assert.equal(failureCount(report), 0);
  assert.ok(report.requests >= 150 && report.requests <= 0.3 * elapsedMs + 2);
  assert.ok(latencyAt(report, 0.5) <= latencyAt(report, 0.99));
});

test('the one request that a server drops is counted, and so is each kind of failure', async (t) => {
  let count = 0;
  const { url } = await serve(t, (req, res) => {
    count += 1;
    if (count === 50) req.socket.destroy();
    else res.writeHead(count === 60 ? 503 : 200).end('fine');
  });
  const report = await loadUntil(url, 100);
  assert.deepEqual(report.failures, { '5xx': 1, reset: 1, refused: 0, timeout: 0, other: 0 });
});

test('a server that is gone is noticed', async (t) => {
  const { url, server } = await serve(t, (_req, res) => void res.end());
  server.close();
  const report = await loadUntil(url, 20);
  assert.equal(report.failures.refused, report.requests);
});

test('visitors of the recorded service are greeted, answered, and told when they are dropped', async (t) => {
  const made = startRecorded('one');
  t.after(() => made.closeAllConnections());
  await new Promise((resolve) => made.once('listening', resolve));
  const url = `http://127.0.0.1:${(made.address() as AddressInfo).port}/`;
  const visitor = await connectVisitor(url);
  assert.equal(visitor.greeting, 'version one');
  while (visitor.answered < 2) await new Promise((wake) => setTimeout(wake, 10));
  assert.equal(visitor.closedWith, null);
  for (const socket of upgraded) socket.destroy();
  assert.equal(await visitor.closed, 1006);
  made.close();
});

const upgraded = new Set<{ destroy(): void }>();

/** Runs the file that the scenarios record, with this process's own http. */
function startRecorded(version: string): Server {
  const source = chattyService(version)['server.mjs']!.replaceAll(/^import .*$/gm, '');
  let made: Server | null = null;
  runInNewContext(source, {
    createServer: (handle: RequestListener) => {
      made = createServer(handle);
      made.on('upgrade', (_req, socket) => upgraded.add(socket));
      return made;
    },
    createHash: process.getBuiltinModule('node:crypto').createHash,
    process: { env: { PORT: '0' }, on: () => undefined },
    Buffer,
    setTimeout,
    console,
  });
  if (!made) throw new Error('the service made no server');
  return made;
}
