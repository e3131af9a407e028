import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createEngine } from './engine.ts';
import { hasCode } from './engine-error.ts';

/** An engine that answers each request with this. */
async function fakeEngine(t: TestContext, status: number, body: object) {
  const dir = await mkdtemp(join(tmpdir(), 'engine-'));
  const socketPath = join(dir, 'engine.sock');
  const asked: string[] = [];
  const server = createServer((req, res) => {
    asked.push(`${req.method} ${req.url}`);
    res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  server.listen(socketPath);
  await once(server, 'listening');
  t.after(async () => {
    server.close();
    await rm(dir, { recursive: true, force: true });
  });
  return { engine: createEngine({ socketPath, box: 'test' }), asked };
}

test('where no engine answers it is said what to install', async () => {
  const engine = createEngine({ socketPath: '/nonexistent/engine.sock', box: 'test' });
  await assert.rejects(engine.version(), (error) => {
    return hasCode(error, 'absent') && /install Docker Engine 25 or newer/.test(String(error));
  });
});

test('an engine that is too old is named with what to install', async (t) => {
  const { engine } = await fakeEngine(t, 200, { Version: '20.10.24', ApiVersion: '1.41' });
  await assert.rejects(engine.version(), (error) => {
    return hasCode(error, 'too_old') && /20\.10\.24 is too old/.test(String(error));
  });
});

test('a full disk is told as such', async (t) => {
  const { engine } = await fakeEngine(t, 500, { message: 'write /x: no space left on device' });
  await assert.rejects(engine.listContainers(), (error) => hasCode(error, 'no_space'));
});

test('a container that is not of the box is left alone', async (t) => {
  const { engine, asked } = await fakeEngine(t, 200, {
    Id: 'abc',
    Name: '/other',
    Image: 'sha256:1',
    State: {
      Status: 'running',
      Running: true,
      OOMKilled: false,
      ExitCode: 0,
      Error: '',
      StartedAt: '',
      FinishedAt: '',
    },
    Config: { Labels: { 'dbox.box': 'another' } },
    NetworkSettings: { Networks: {} },
  });
  for (const act of [engine.removeContainer, engine.startContainer] as const) {
    await assert.rejects(act('other'), (error) => hasCode(error, 'refused'));
  }
  await assert.rejects(engine.stopContainer('other', 0), (error) => hasCode(error, 'refused'));
  await assert.rejects(engine.putArchive('other', '/', Buffer.alloc(0)), (error) =>
    hasCode(error, 'refused'),
  );
  assert.ok(
    asked.every((call) => call.startsWith('GET')),
    asked.join('\n'),
  );
});

test('a name that could lead elsewhere never reaches the engine', async (t) => {
  const { engine, asked } = await fakeEngine(t, 200, {});
  for (const name of ['../images', 'a/b', '-x', 'a?force=1', '']) {
    await assert.rejects(
      async () => engine.inspectContainer(name),
      (error) => hasCode(error, 'refused'),
      name,
    );
  }
  assert.deepEqual(asked, []);
});

test('of an image without a tag the newest is fetched, and not all that there are', async (t) => {
  const { engine, asked } = await fakeEngine(t, 200, {});
  for (const image of ['nginx', 'registry.example.org:5000/team/app', 'nginx:1', 'nginx@sha256:1']) {
    await engine.pull(image, t.signal);
  }
  const tags = asked.map((line) => new URLSearchParams(line.split('?')[1]).get('tag'));
  assert.deepEqual(tags, ['latest', 'latest', null, null]);
});
