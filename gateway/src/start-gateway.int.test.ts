import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Route, Target } from '@dbox/contracts';
import { type Gateway, startGateway } from './start-gateway.ts';
import { type FakeManager, startFakeManager } from './testing/fake-manager.ts';
import { ask, type FakeRelease, startFakeRelease } from './testing/fake-release.ts';

interface Bench {
  readonly manager: FakeManager;
  readonly dir: string;
  readonly release: (name: string, more?: Parameters<typeof startFakeRelease>[1]) => Promise<FakeRelease>;
  readonly start: (more?: {
    answerTimeoutMs?: number;
    managerUrl?: string;
    ports?: { first: number; count: number };
  }) => Promise<Gateway>;
}

async function bench(t: TestContext): Promise<Bench> {
  const dir = await mkdtemp(join(tmpdir(), 'gw-'));
  const manager = await startFakeManager();
  const gateways: Gateway[] = [];
  const releases: FakeRelease[] = [];
  t.after(async () => {
    for (const gateway of gateways) await gateway.stop({ graceMs: 0 });
    for (const release of releases) await release.close();
    await manager.close();
    await rm(dir, { recursive: true });
  });
  return {
    manager,
    dir,
    async release(name, more) {
      const release = await startFakeRelease(name, more);
      releases.push(release);
      return release;
    },
    async start(more = {}) {
      const gateway = await startGateway({
        managerUrl: manager.url,
        token: 'gw',
        stateFile: join(dir, 'routes.json'),
        host: '127.0.0.1',
        ...more,
      });
      gateways.push(gateway);
      return gateway;
    },
  };
}

function route(target: Target | null, more: Partial<Route> = {}): Route {
  return {
    project: 'blog',
    environment: 'dev',
    port: 0,
    releaseId: target ? 'rel_0000000001' : null,
    target,
    ...more,
  };
}

test('no request fails while the release is switched eight times under load', async (t) => {
  const { manager, release, start } = await bench(t);
  const slow = (name: string) => ({
    // Answers in two parts, so that many requests are under way at each switch.
    handle: (_req: unknown, res: import('node:http').ServerResponse) => {
      res.write(name);
      setImmediate(() => res.end('.'));
    },
  });
  const [a, b] = [await release('a', slow('a')), await release('b', slow('b'))];
  await start();
  const { listeners } = await manager.offer([route(a.target)]);
  const port = listeners[0]!.port;
  const agent = new Agent({ keepAlive: true, maxSockets: 200 });
  t.after(() => agent.destroy());
  const seen: Record<string, number> = {};
  let isOver = false;
  const one = () =>
    new Promise<string>((resolve) => {
      const req = request({ host: '127.0.0.1', port, agent }, (res) => {
        let body = '';
        res.on('data', (chunk) => {
          body += chunk;
        });
        res.on('end', () => resolve(`${res.statusCode} ${body}`));
        res.on('error', (error) => resolve(String(error)));
      });
      req.on('error', (error) => resolve(String(error)));
      req.end();
    });
  const visitors = Array.from({ length: 200 }, async () => {
    while (!isOver) {
      const answer = await one();
      seen[answer] = (seen[answer] ?? 0) + 1;
    }
  });
  for (let count = 1; count <= 8; count += 1) {
    const before = seen[`200 ${count % 2 ? 'b' : 'a'}.`] ?? 0;
    await manager.offer([route((count % 2 ? b : a).target)]);
    // The next switch comes once this one carries traffic.
    while ((seen[`200 ${count % 2 ? 'b' : 'a'}.`] ?? 0) < before + 100) await new Promise(setImmediate);
  }
  isOver = true;
  await Promise.all(visitors);
  assert.deepEqual(Object.keys(seen).sort(), ['200 a.', '200 b.']);
});

test('after the acknowledgement of a switch no new request reaches the old release', async (t) => {
  const { manager, release, start } = await bench(t);
  const [a, b] = [await release('a'), await release('b')];
  await start();
  const { listeners } = await manager.offer([route(a.target)]);
  assert.equal((await ask(listeners[0]!.port)).body, 'a');
  await manager.offer([route(b.target)]);
  assert.equal((await ask(listeners[0]!.port)).body, 'b');
});

test('a WebSocket lives across a switch, and new ones go to the new release', async (t) => {
  const { manager, release, start } = await bench(t);
  const [a, b] = [await release('a'), await release('b')];
  await start();
  const { listeners } = await manager.offer([route(a.target)]);
  const first = await openWebSocket(listeners[0]!.port);
  t.after(() => first.destroy());
  assert.equal(await echo(first, 'one'), 'a:one');
  await manager.offer([route(b.target)]);
  assert.equal(await echo(first, 'two'), 'a:two');
  const second = await openWebSocket(listeners[0]!.port);
  t.after(() => second.destroy());
  assert.equal(await echo(second, 'three'), 'b:three');
});

test('a WebSocket to an address where nothing is live is refused with 503', async (t) => {
  const { manager, start } = await bench(t);
  await start();
  const { listeners } = await manager.offer([route(null)]);
  const socket = connect(listeners[0]!.port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost: devsite\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  assert.match(await readAll(socket), /^HTTP\/1\.1 503 /);
});

test('clients that reset their WebSockets at any moment harm nobody', async (t) => {
  const { manager, release, start } = await bench(t);
  const a = await release('a');
  await start();
  for (const target of [null, a.target]) {
    const { listeners } = await manager.offer([route(target)]);
    const { port } = listeners[0]!;
    for (let count = 0; count < 50; count += 1) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write('GET / HTTP/1.1\r\nHost: devsite\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      await new Promise((resolve) => socket.once('connect', resolve));
      for (let turn = 0; turn < count % 5; turn += 1) await new Promise(setImmediate);
      socket.resetAndDestroy();
    }
    assert.equal((await ask(port)).status, target ? 200 : 503);
  }
});

test('a WebSocket whose release cannot be reached is refused with 502', async (t) => {
  const { manager, start, release } = await bench(t);
  const gone = await release('gone');
  await gone.close();
  await start();
  const { listeners } = await manager.offer([route(gone.target)]);
  const socket = connect(listeners[0]!.port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost: devsite\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  assert.match(await readAll(socket), /^HTTP\/1\.1 502 /);
});

test('a revision older than the one served changes nothing and is not acknowledged', async (t) => {
  const { manager, release, start } = await bench(t);
  const [a, b] = [await release('a'), await release('b')];
  await start();
  await manager.offer([route(a.target)]);
  const { listeners, revision } = await manager.offer([route(b.target)]);
  const idle = manager.nextIdlePoll();
  manager.answerPoll(revision - 1, [route(a.target)]);
  await idle;
  assert.equal((await ask(listeners[0]!.port)).body, 'b');
  assert.equal(manager.acks.length, 2);
});

test('a port that is taken is replaced by a free one, which is kept over a restart', async (t) => {
  const { manager, release, start } = await bench(t);
  const a = await release('a');
  const squatter = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => squatter.once('listening', resolve));
  t.after(() => squatter.close());
  const taken = (squatter.address() as { port: number }).port;
  const gateway = await start();
  const first = await manager.offer([route(a.target, { port: taken })]);
  const { port } = first.listeners[0]!;
  assert.ok(port > taken && port <= taken + 20, `a neighbour serves instead: ${port} for ${taken}`);
  const same = await manager.offer([route(a.target, { port })]);
  assert.equal(same.listeners[0]!.port, port, 'the substitute asked for by name is what listens already');
  assert.equal((await ask(port)).body, 'a');
  await gateway.stop();
  const again = await start();
  assert.deepEqual(again.listeners, [{ project: 'blog', environment: 'dev', port }]);
});

test('every listener serves every project by its name under localhost', async (t) => {
  const { manager, release, start } = await bench(t);
  const [blog, shop, live] = [await release('blog'), await release('shop'), await release('live')];
  await start();
  const { listeners } = await manager.offer([
    route(blog.target),
    route(shop.target, { project: 'shop', releaseId: 'rel_0000000002' }),
    route(live.target, { project: 'shop', environment: 'production', releaseId: 'rel_0000000003' }),
  ]);
  const port = listeners.find((listener) => listener.project === 'blog')!.port;
  const byHost = async (host: string) => (await ask(port, { headers: { host } })).body;
  assert.equal(await byHost('devsite:8080'), 'blog');
  assert.equal(await byHost('127.0.0.1'), 'blog');
  assert.equal(await byHost('localhost:1'), 'blog');
  assert.equal(await byHost('shop.localhost:8080'), 'shop');
  assert.equal(await byHost('Production.Shop.localhost'), 'live');
  assert.equal((await ask(port, { headers: { host: 'nobody.localhost' } })).status, 404);
});

test('where nothing is live people get a page that looks again, programs a problem document', async (t) => {
  const { manager, start } = await bench(t);
  await start();
  const { listeners } = await manager.offer([route(null)]);
  const port = listeners[0]!.port;
  const page = await ask(port, { headers: { accept: 'text/html,*/*' } });
  assert.equal(page.status, 503);
  assert.match(page.body, /http-equiv="refresh"/);
  const problem = await ask(port);
  assert.equal(problem.headers['content-type'], 'application/problem+json');
  assert.equal(JSON.parse(problem.body).code, 'no_release');
});

test('a release is reached by its name, whether or not the request can be repeated', async (t) => {
  const { manager, release, start } = await bench(t);
  const a = await release('a', {
    handle: (req, res) => void res.end(`${req.method} ${req.headers.connection}`),
  });
  assert.ok(a.target.kind === 'tcp');
  await start();
  const { listeners } = await manager.offer([route({ ...a.target, host: 'localhost' })]);
  const answers = await Promise.all(
    ['GET', 'POST', 'POST', 'GET'].map((method) => ask(listeners[0]!.port, { method })),
  );
  assert.deepEqual(
    answers.map((answer) => answer.body),
    ['GET keep-alive', 'POST close', 'POST close', 'GET keep-alive'],
  );
});

test('a release is reached over a unix socket', async (t) => {
  const { manager, release, start, dir } = await bench(t);
  const a = await release('socket', { socketPath: join(dir, 'a.sock') });
  await start();
  const { listeners } = await manager.offer([route(a.target)]);
  assert.equal((await ask(listeners[0]!.port)).body, 'socket');
});

test('headers about the way are set by the gateway, whatever the client claims', async (t) => {
  const { manager, release, start } = await bench(t);
  const a = await release('a', { handle: (req, res) => void res.end(JSON.stringify(req.headers)) });
  await start();
  const { listeners } = await manager.offer([route(a.target)]);
  const { body } = await ask(listeners[0]!.port, {
    headers: {
      host: 'devsite:8080',
      'x-forwarded-for': '6.6.6.6',
      'x-forwarded-host': 'evil',
      'x-forwarded-proto': 'https',
      'x-forwarded-user': 'root',
      forwarded: 'for=6.6.6.6',
      connection: 'close, x-secret',
      'x-secret': 'hop',
      'x-own': 'kept',
    },
  });
  const seen = JSON.parse(body);
  assert.equal(seen.host, 'devsite:8080');
  assert.equal(seen['x-forwarded-for'], '127.0.0.1');
  assert.equal(seen['x-forwarded-host'], 'devsite:8080');
  assert.equal(seen['x-forwarded-proto'], 'http');
  assert.equal(seen['x-own'], 'kept');
  for (const name of ['x-forwarded-user', 'forwarded', 'x-secret']) assert.equal(seen[name], undefined, name);
});

test('a GET on a connection that the release closes is tried once more, a POST is not', async (t) => {
  const { manager, release, start } = await bench(t);
  let count = 0;
  const a = await release('a', {
    handle: (req, res) => {
      count += 1;
      if (count % 2 === 1) req.socket.destroy();
      else res.end(String(count));
    },
  });
  await start();
  const { listeners } = await manager.offer([route(a.target)]);
  const get = await ask(listeners[0]!.port);
  assert.deepEqual([get.status, get.body], [200, '2']);
  const post = await ask(listeners[0]!.port, { method: 'POST', body: 'x' });
  assert.deepEqual([post.status, count], [502, 3]);
});

test('a request that cannot be repeated never goes over a connection that may be closing', async (t) => {
  const { manager, release, start } = await bench(t);
  const connections: unknown[] = [];
  const a = await release('a', {
    handle: (req, res) => {
      if (!connections.includes(req.socket)) connections.push(req.socket);
      res.end(String(connections.indexOf(req.socket)));
    },
  });
  await start();
  const { listeners } = await manager.offer([route(a.target)]);
  const over = async (method: string) => (await ask(listeners[0]!.port, { method })).body;
  assert.deepEqual([await over('GET'), await over('GET'), await over('POST')], ['0', '0', '1']);
});

test('a release that takes a request and says nothing is given up with 504', async (t) => {
  const { manager, release, start } = await bench(t);
  const a = await release('a', { handle: () => undefined });
  await start({ answerTimeoutMs: 50 });
  const { listeners } = await manager.offer([route(a.target)]);
  assert.equal((await ask(listeners[0]!.port)).status, 504);
});

test('whatever a release answers, its visitors get an HTTP answer and the next request goes on', async (t) => {
  const { manager, release, start } = await bench(t);
  const heads: Record<string, [head: string, status: number]> = {
    '/no-status': ['HTTP/1.1 000 None\r\ncontent-length: 0\r\n\r\n', 502],
    '/odd-status': ['HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n', 502],
    '/bytes-in-reason': ['HTTP/1.1 200 \x01\x02\xff\r\ncontent-length: 0\r\n\r\n', 200],
    '/bytes-in-header': ['HTTP/1.1 200 OK\r\nx: a\x01\xff\r\ncontent-length: 0\r\n\r\n', 502],
    '/switch': ['HTTP/1.1 101 Switch\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n', 502],
    '/interim': ['HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n'.repeat(1_000), 502],
    '/two-lengths': [
      'HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      502,
    ],
    '/no-http': ['SSH-2.0-x\r\n', 502],
    '/other-framing': ['HTTP/1.1 200 OK\r\ntransfer-encoding: identity\r\n\r\n', 200],
    '/': ['HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n', 200],
  };
  const { target } = await release('odd', {
    handle: (req) => {
      req.socket.write(heads[req.url ?? '']?.[0] ?? '', 'latin1');
      if (req.url === '/other-framing') req.socket.end();
    },
  });
  await start();
  const { listeners } = await manager.offer([route(target)]);
  for (const [path, [, status]] of Object.entries(heads)) {
    const answer = await ask(listeners[0]!.port, { path });
    assert.equal(answer.status, status, path);
    assert.notEqual(answer.headers['transfer-encoding'], 'identity');
  }
});

test('bodies are streamed both ways', async (t) => {
  const { manager, release, start } = await bench(t);
  const a = await release('a', { handle: (req, res) => void req.pipe(res) });
  await start();
  const { listeners } = await manager.offer([route(a.target)]);
  const answer = await new Promise<string>((resolve, reject) => {
    let seen = '';
    const req = request(
      { host: '127.0.0.1', port: listeners[0]!.port, method: 'POST', agent: false },
      (res) => {
        res.setEncoding('utf8').on('data', (chunk) => {
          seen += chunk;
          // The second part is sent only after the first has come back.
          if (seen === 'one') req.end('two');
        });
        res.on('end', () => resolve(seen));
      },
    );
    req.on('error', reject);
    req.write('one');
  });
  assert.equal(answer, 'onetwo');
});

test('the routes last served are served again before the manager answers', async (t) => {
  const { manager, release, start } = await bench(t);
  const a = await release('a');
  const first = await start();
  const { revision } = await manager.offer([route(a.target)]);
  await first.stop();
  const acked = manager.nextAck();
  const second = await start({ managerUrl: 'http://127.0.0.1:9' });
  assert.equal((await ask(second.listeners[0]!.port)).body, 'a');
  await second.stop();
  // And the revision served already is acknowledged to a manager that is back.
  await start();
  assert.equal((await acked).revision, revision);
});

test('answers are counted per release and reported', async (t) => {
  const { manager, release, start } = await bench(t);
  const a = await release('a', {
    handle: (req, res) => void res.writeHead(req.url === '/no' ? 500 : 200).end(),
  });
  await start();
  const { listeners } = await manager.offer([route(a.target)]);
  const reported = manager.nextTraffic();
  for (const path of ['/', '/', '/no']) await ask(listeners[0]!.port, { path });
  let [stats] = await reported;
  // Reports hold totals; on a busy machine the first one leaves before the last request.
  while (stats?.latencyBuckets.at(-1)?.count !== 3) [stats] = await manager.nextTraffic();
  assert.equal(stats.releaseId, 'rel_0000000001');
  assert.deepEqual(stats.statuses, { '2xx': 2, '5xx': 1 });
});

test('a release that fails just after a switch is told of at once, and again within a tenth of a second', async (t) => {
  const { manager, release, start } = await bench(t);
  const old = await release('old');
  const bad = await release('bad', { handle: (_req, res) => void res.writeHead(500).end() });
  await start();
  const { listeners } = await manager.offer([route(old.target)]);
  const port = listeners[0]!.port;
  const firstReport = manager.nextTraffic();
  await ask(port);
  const [former] = await firstReport;
  assert.equal(former!.servingForMs, null, 'what was served from the start is not new');
  await manager.offer([route(bad.target, { releaseId: 'rel_0000000002' })]);
  for (const failures of [1, 2]) {
    const reported = manager.nextTraffic();
    const startedMs = performance.now();
    await ask(port);
    const [stats] = await reported;
    assert.ok(performance.now() - startedMs < 1_000, 'far sooner than the usual two seconds');
    assert.equal(stats!.releaseId, 'rel_0000000002');
    assert.deepEqual(stats!.statuses, { '5xx': failures });
    assert.ok(stats!.servingForMs! >= 0 && stats!.servingForMs! < 10_000);
  }
});

test('a WebSocket whose release is stopped is closed with a word, unless the release has said it', async (t) => {
  const { manager, release, start } = await bench(t);
  await start();
  for (const [name, text, expected] of [
    ['silent', Buffer.from([0x81, 0x01, 0x61]), '810161' + '880203e9'],
    ['polite', Buffer.from([0x88, 0x02, 0x03, 0xe8]), '880203e8'],
    ['cut short', Buffer.from([0x81, 0x05, 0x61]), '810561'],
  ] as const) {
    const one = await release(name, {
      onUpgrade: (socket) => socket.once('data', () => socket.write(text)),
    });
    const { listeners } = await manager.offer([route(one.target)]);
    const socket = await openWebSocket(listeners[0]!.port);
    socket.write('ask');
    await new Promise((answered) => socket.once('readable', answered));
    await one.close();
    const seen: Buffer[] = [];
    for await (const chunk of socket) seen.push(chunk);
    assert.equal(Buffer.concat(seen).toString('hex'), expected, name);
  }
});

test('what a release says together with its yes to a WebSocket arrives', async (t) => {
  const { manager, release, start } = await bench(t);
  const a = await release('a', { onUpgrade: () => undefined });
  a.server.prependListener('upgrade', (_req, socket) => socket.cork());
  a.server.on('upgrade', (_req, socket) => {
    socket.write(Buffer.from([0x81, 0x05, ...Buffer.from('hello')]));
    socket.uncork();
  });
  await start();
  const { listeners } = await manager.offer([route(a.target)]);
  const seen = await new Promise<string>((resolve, reject) => {
    const socket = connect(listeners[0]!.port, '127.0.0.1');
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk) => {
      text += chunk;
      if (text.endsWith('hello')) resolve(text);
    });
    socket.once('error', reject);
    socket.setTimeout(5_000, () => reject(new Error(`only this arrived: ${text}`)));
    socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n');
    t.after(() => socket.destroy());
  });
  assert.match(seen, /^HTTP\/1\.1 101 /);
});

test('where all idle connections break at once, the second try has one of its own', async (t) => {
  const { manager, release, start } = await bench(t);
  const asked = new Map<Socket, number>();
  const a = await release('a', {
    handle: (req, res) => {
      const count = (asked.get(req.socket) ?? 0) + 1;
      asked.set(req.socket, count);
      // Every connection answers once, and is broken by the next request on it.
      if (count > 1) req.socket.destroy();
      else setTimeout(() => res.end('fine'), 20);
    },
  });
  await start();
  const { listeners } = await manager.offer([route(a.target)]);
  const burst = () => Promise.all(Array.from({ length: 8 }, () => ask(listeners[0]!.port)));
  await burst();
  assert.deepEqual(new Set((await burst()).map((answer) => answer.status)), new Set([200]));
});

test('a head that is too large is refused', async (t) => {
  const { manager, release, start } = await bench(t);
  const a = await release('a');
  await start();
  const { listeners } = await manager.offer([route(a.target)]);
  assert.equal((await ask(listeners[0]!.port, { headers: { big: 'x'.repeat(17_000) } })).status, 431);
});

test('a route that is taken away is no longer listened for', async (t) => {
  const { manager, release, start } = await bench(t);
  const a = await release('a');
  await start();
  const { listeners } = await manager.offer([route(a.target)]);
  assert.deepEqual((await manager.offer([])).listeners, []);
  await assert.rejects(ask(listeners[0]!.port), { code: 'ECONNREFUSED' });
});

function openWebSocket(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const req = request({
      host: '127.0.0.1',
      port,
      headers: { connection: 'Upgrade', upgrade: 'websocket' },
    });
    req.once('upgrade', (_res, socket: Socket) => resolve(socket));
    req.once('response', (res) => reject(new Error(`refused with ${res.statusCode}`)));
    req.once('error', reject);
    req.end();
  });
}

function echo(socket: Socket, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    socket.once('data', (data) => resolve(String(data)));
    socket.once('close', () => reject(new Error('the WebSocket was closed')));
    socket.write(text);
  });
}

async function readAll(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += chunk;
  return text;
}

test('where only some ports can be reached from outside, routes beyond them stand in one of these', async (t) => {
  const { manager, release, start } = await bench(t);
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const first = (probe.address() as { port: number }).port;
  await new Promise((resolve) => probe.close(resolve));
  const { target } = await release('a');
  await start({ ports: { first, count: 1 } });
  const { listeners } = await manager.offer([
    route(target, { port: 1 }),
    route(target, { project: 'shop', port: 2 }),
  ]);
  assert.deepEqual(listeners, [{ project: 'blog', environment: 'dev', port: first }]);
});
