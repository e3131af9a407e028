import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { HttpCriterion, Target } from '@dbox/contracts';
import { answersHttp, MAX_PROBE_BODY_BYTES, probeHttp } from './probe.ts';

const criterion: HttpCriterion = {
  kind: 'http',
  path: '/',
  method: 'GET',
  headers: {},
  body: null,
  statuses: [200],
  contains: [],
  matches: [],
  json: {},
  maxLatencyMs: null,
};

async function serve(t: TestContext, listener: RequestListener, path?: string): Promise<Target> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => {
    if (path === undefined) server.listen(0, '127.0.0.1', resolve);
    else server.listen(path, resolve);
  });
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  if (path !== undefined) return { kind: 'socket', path };
  return { kind: 'tcp', host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

function probe(
  target: Target,
  more: Partial<HttpCriterion> = {},
  o: { timeoutMs?: number; signal?: AbortSignal } = {},
) {
  return probeHttp({
    target,
    hostHeader: 'devsite:8080',
    criterion: { ...criterion, ...more },
    signal: o.signal ?? new AbortController().signal,
    timeoutMs: o.timeoutMs ?? 10_000,
  });
}

test('method, headers and body arrive, and the host is the project’s whatever the check says', async (t) => {
  const target = await serve(t, async (req, res) => {
    let body = '';
    for await (const chunk of req) body += chunk;
    res.end(JSON.stringify({ method: req.method, host: req.headers.host, own: req.headers['x-own'], body }));
  });
  const outcome = await probe(target, {
    method: 'POST',
    headers: { 'X-Own': 'yes', Host: 'evil', Connection: 'upgrade' },
    body: 'hé',
    json: { method: 'POST', host: 'devsite:8080', own: 'yes', body: 'hé' },
  });
  assert.deepEqual([outcome.ok, typeof outcome.latencyMs], [true, 'number'], outcome.detail);
});

test('a release is asked over a unix socket', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'probe-'));
  t.after(() => rm(dir, { recursive: true }));
  const target = await serve(t, (_req, res) => void res.end('socket'), join(dir, 's'));
  assert.equal((await probe(target, { contains: ['socket'] })).ok, true);
});

test('a redirect is an answer, not a way', async (t) => {
  const asked: (string | undefined)[] = [];
  const target = await serve(t, (req, res) => {
    asked.push(req.url);
    res.writeHead(302, { location: 'http://169.254.169.254/' }).end();
  });
  const outcome = await probe(target);
  assert.match(outcome.detail, /answered 302 \(to http:\/\/169\.254\.169\.254\/\)/);
  assert.deepEqual(asked, ['/']);
});

test('an endless body is read no further than the limit', async (t) => {
  const target = await serve(t, (_req, res) => {
    const chunk = Buffer.alloc(64 * 1024, 'x');
    const write = () => {
      while (!res.destroyed && res.write(chunk));
    };
    res.on('drain', write);
    write();
  });
  const outcome = await probe(target, { matches: [`^x{1000}`], contains: ['y'] });
  assert.match(outcome.detail, /in the part of the body that was read/);
  assert.ok(MAX_PROBE_BODY_BYTES === 1024 * 1024);
});

test('no answer in time fails and says so', async (t) => {
  const target = await serve(t, () => undefined);
  const outcome = await probe(target, {}, { timeoutMs: 30 });
  assert.deepEqual(outcome, { ok: false, detail: 'GET / got no answer within 30 ms', latencyMs: null });
});

test('a body that never ends in time fails too', async (t) => {
  const target = await serve(t, (_req, res) => void res.write('x'));
  assert.match((await probe(target, {}, { timeoutMs: 50 })).detail, /within 50 ms/);
});

test('a target that is not there fails', async () => {
  const outcome = await probe({ kind: 'socket', path: '/nonexistent.sock' });
  assert.deepEqual([outcome.ok, outcome.detail], [false, 'GET / got no answer (ENOENT)']);
});

test('interim answers without end are given up', async (t) => {
  const target = await serve(t, (_req, res) => {
    for (let count = 0; count < 100; count += 1) res.writeEarlyHints({ link: '</a.css>; rel=preload' });
  });
  assert.equal((await probe(target)).detail, 'GET / got no answer (interim answers without end)');
});

test('a header that cannot be sent fails instead of throwing', async (t) => {
  const target = await serve(t, (_req, res) => void res.end());
  assert.equal((await probe(target, { headers: { 'bad name': 'x' } })).ok, false);
});

test('an abort rejects with its reason', async (t) => {
  const target = await serve(t, () => undefined);
  const controller = new AbortController();
  const outcome = probe(target, {}, { signal: controller.signal });
  controller.abort(new Error('over'));
  await assert.rejects(outcome, /over/);
});

test('any status means that HTTP is spoken', async (t) => {
  const target = await serve(t, (_req, res) => void res.writeHead(500).end());
  const o = { hostHeader: 'devsite', signal: new AbortController().signal, timeoutMs: 1_000 };
  assert.equal(await answersHttp({ ...o, target }), true);
  assert.equal(await answersHttp({ ...o, target: { kind: 'socket', path: '/nonexistent.sock' } }), false);
});
