import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { type Problem, ProblemError } from '@dbox/contracts';
import type { ByteStream, Call } from './handlers.ts';
import { JOB_ID, startTestServer } from './testing/test-server.ts';

const MIB = 1024 * 1024;
const ARTIFACT_PATH = `/v1/jobs/${JOB_ID}/artifacts/report.txt`;
const PACE = { windowMs: 30_000, minBytes: 1024 };

async function problemOf(response: Response, status: number): Promise<Problem> {
  const text = await response.text();
  assert.equal(response.status, status, text);
  return JSON.parse(text) as Problem;
}

/** A client that sends when told and collects what comes back. */
async function openSocket(
  t: TestContext,
  url: string,
  head: string,
): Promise<Socket & { readonly got: () => string }> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  t.after(() => socket.destroy());
  let answer = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    answer += text;
  });
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(`${head}\r\nhost: localhost\r\n`);
  return Object.assign(socket, { got: () => answer });
}

async function untilAnswered(socket: Socket & { readonly got: () => string }): Promise<string> {
  while (!socket.got().includes('\r\n\r\n')) await once(socket, 'data');
  return socket.got();
}

test('a body that is declared too large is refused before it is sent', async (t) => {
  const server = await startTestServer(t, {});
  const head = `POST /v1/stories HTTP/1.1\r\nauthorization: Bearer ${server.token('operator')}\r\ncontent-type: application/json\r\ncontent-length: ${49 * MIB}`;
  const socket = await openSocket(t, server.url, head);
  socket.write('\r\n');
  assert.match(await untilAnswered(socket), /^HTTP\/1\.1 413 .*payload_too_large/s);
});

test('a body that grows too large while it is sent is refused', async (t) => {
  const server = await startTestServer(t, {});
  const chunks = function* () {
    for (let n = 0; n < 3; n += 1) yield new Uint8Array(MIB / 2).fill(0x20);
  };
  const response = await server.call('operator', 'POST', '/v1/projects/blog/rollback', {
    body: ReadableStream.from(chunks()) as ReadableStream<Uint8Array<ArrayBuffer>>,
    duplex: 'half',
    headers: { 'content-type': 'application/json' },
  } as RequestInit);
  assert.equal((await problemOf(response, 413)).code, 'payload_too_large');
});

test('a body of exactly the limit is read', async (t) => {
  const server = await startTestServer(t, {});
  const response = await server.call('operator', 'POST', '/v1/projects/blog/rollback', {
    body: ' '.repeat(MIB),
    headers: { 'content-type': 'application/json' },
  });
  assert.match((await problemOf(response, 400)).detail, /not valid JSON/);
});

test('after a refused body the next request is served', async (t) => {
  const server = await startTestServer(t, { getHealth: async () => ({ ok: true }) });
  for (let n = 0; n < 3; n += 1) {
    const refused = await server.call('operator', 'POST', '/v1/projects/blog/rollback', {
      body: 'x'.repeat(MIB + 1),
      headers: { 'content-type': 'application/json' },
    });
    assert.equal(refused.status, 413);
    assert.equal((await server.call(null, 'GET', '/healthz')).status, 200);
  }
});

test('a stream arrives whole at its handler', async (t) => {
  let got = Buffer.alloc(0);
  const server = await startTestServer(t, {
    sendJobLogs: async (call) => {
      got = await buffer(call.bytes!);
    },
  });
  const body = 'line\n'.repeat(100_000);
  const response = await server.call('job', 'POST', `/v1/jobs/${JOB_ID}/logs`, {
    body,
    headers: { 'content-type': 'application/x-ndjson; charset=utf-8' },
  });
  assert.equal(response.status, 204);
  assert.equal(got.toString(), body);
});

test('an empty file is a body, and no file is none', async (t) => {
  const seen: unknown[] = [];
  const server = await startTestServer(t, {
    addProject: async ({ bytes }) => {
      seen.push(bytes && (await buffer(bytes)).length);
      return { name: 'blog', createdAt: '2026-01-01T00:00:00.000Z', mainCommit: null, origin: 'story' };
    },
  });
  await server.call('operator', 'PUT', '/v1/projects/blog');
  const headers = { 'content-type': 'application/octet-stream' };
  await server.call('operator', 'PUT', '/v1/projects/blog', { body: new Uint8Array(0), headers });
  assert.deepEqual(seen, [null, 0]);
});

test('a stream past its limit fails in the handler with the problem that the client gets', async (t) => {
  let failure: unknown;
  const server = await startTestServer(t, {
    sendJobLogs: async (call) => {
      try {
        for await (const _ of call.bytes!);
      } catch (error) {
        failure = error;
        throw error;
      }
    },
  });
  const response = await server.call('job', 'POST', `/v1/jobs/${JOB_ID}/logs`, {
    body: ReadableStream.from([new Uint8Array(MIB), new Uint8Array(1)]) as ReadableStream<
      Uint8Array<ArrayBuffer>
    >,
    duplex: 'half',
    headers: { 'content-type': 'application/x-ndjson' },
  } as RequestInit);
  assert.equal((await problemOf(response, 413)).code, 'payload_too_large');
  assert.ok(failure instanceof ProblemError);
});

test('a handler that answers without reading its stream is heard', async (t) => {
  const server = await startTestServer(t, {
    putArtifact: async () => {
      throw new ProblemError('lease_gone', 'The lease is gone.');
    },
  });
  const response = await server.call('job', 'PUT', ARTIFACT_PATH, { body: new Uint8Array(8 * MIB) });
  assert.equal((await problemOf(response, 409)).code, 'lease_gone');
});

test('a body that trickles in is cut off after its window', async (t) => {
  const server = await startTestServer(t, {}, { bodyPace: PACE });
  const head = `POST /v1/stories HTTP/1.1\r\nauthorization: Bearer ${server.token('operator')}\r\ncontent-type: application/json\r\ncontent-length: 5000`;
  const timersBefore = server.clock.pending;
  const socket = await openSocket(t, server.url, head);
  socket.write('\r\n{"text":');
  while (server.clock.pending === timersBefore) await new Promise(setImmediate);
  server.clock.advance(PACE.windowMs);
  assert.match(await untilAnswered(socket), /^HTTP\/1\.1 400 .*too slowly/s);
});

test('a stream that waits for its handler is not blamed on the sender', async (t) => {
  const opened = Promise.withResolvers<Call<'putArtifact'>>();
  const goOn = Promise.withResolvers<void>();
  const server = await startTestServer(
    t,
    {
      putArtifact: async (call) => {
        const iterator = call.bytes![Symbol.asyncIterator]();
        await iterator.next();
        opened.resolve(call);
        await goOn.promise;
        let sizeBytes = 0;
        for await (const chunk of { [Symbol.asyncIterator]: () => iterator })
          sizeBytes += (chunk as Buffer).length;
        throw new ProblemError('artifact_mismatch', `read the rest: ${sizeBytes > 0}`);
      },
    },
    { bodyPace: PACE },
  );
  const pending = server.call('job', 'PUT', ARTIFACT_PATH, { body: new Uint8Array(8 * MIB) });
  const { bytes } = await opened.promise;
  // The stream is full once its buffer has reached the high-water mark: from here on it is the reader who waits.
  while (bytes!.readableLength < bytes!.readableHighWaterMark) await new Promise(setImmediate);
  server.clock.advance(3 * PACE.windowMs);
  goOn.resolve();
  assert.match((await problemOf(await pending, 422)).detail, /true/);
});

test('a client that goes away while it sends ends the stream with an error', async (t) => {
  const failed = Promise.withResolvers<unknown>();
  const started = Promise.withResolvers<void>();
  const server = await startTestServer(t, {
    sendJobLogs: async (call) => {
      call.bytes!.once('data', () => started.resolve());
      call.bytes!.once('error', (error) => failed.resolve(error));
      await failed.promise;
    },
  });
  const head = `POST /v1/jobs/${JOB_ID}/logs HTTP/1.1\r\nauthorization: Bearer ${server.token('job')}\r\ncontent-type: application/x-ndjson\r\ncontent-length: 5000`;
  const socket = await openSocket(t, server.url, head);
  socket.write('\r\n{"a":1}\n');
  await started.promise;
  socket.destroy();
  assert.match(String(await failed.promise), /went away/);
  assert.deepEqual(server.logged, []);
});

test('lines must be sent as lines', async (t) => {
  const server = await startTestServer(t, {});
  const response = await server.call('job', 'POST', `/v1/jobs/${JOB_ID}/logs`, {
    body: '{}',
    headers: { 'content-type': 'application/json' },
  });
  assert.match((await problemOf(response, 400)).detail, /x-ndjson/);
});

test('a file goes out with its length, its type and its name, and may not run in a browser', async (t) => {
  const file: ByteStream = {
    body: Readable.from([Buffer.from('hello '), Buffer.from('there')]),
    mediaType: 'text/html; charset=utf-8',
    sizeBytes: 11,
    fileName: 'grüße "1".html',
  };
  const server = await startTestServer(t, { getArtifact: async () => file });
  const response = await server.call('viewer', 'GET', '/v1/artifacts/art_0123456789/content');
  assert.equal(await response.text(), 'hello there');
  assert.equal(response.headers.get('content-length'), '11');
  assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8');
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
  assert.match(response.headers.get('content-security-policy') ?? '', /sandbox/);
  assert.equal(
    response.headers.get('content-disposition'),
    `attachment; filename="gr__e _1_.html"; filename*=UTF-8''gr%C3%BC%C3%9Fe%20%221%22.html`,
  );
});

test('a media type that is none, as a hostile artifact may carry, is sent as bytes', async (t) => {
  const server = await startTestServer(t, {
    getArtifact: async () => ({
      body: Readable.from([Buffer.from('x')]),
      mediaType: 'text/html\r\nset-cookie: a=b',
      sizeBytes: 1,
      fileName: 'a\r\nb: c',
    }),
  });
  const response = await server.call('viewer', 'GET', '/v1/artifacts/art_0123456789/content');
  assert.equal(response.headers.get('content-type'), 'application/octet-stream');
  assert.equal(response.headers.get('b'), null);
});

test('a file that breaks off breaks the connection instead of looking whole', async (t) => {
  const broken = Readable.from(
    (async function* () {
      yield Buffer.from('half');
      throw new Error('the disk went away');
    })(),
  );
  const server = await startTestServer(t, {
    getArtifact: async () => ({ body: broken, mediaType: 'text/plain', sizeBytes: null, fileName: null }),
  });
  await assert.rejects(async () =>
    (await server.call('viewer', 'GET', '/v1/artifacts/art_0123456789/content')).text(),
  );
  assert.equal(server.logged[0]?.level, 'error');
});

test('a reader that goes away closes the file that it was sent', async (t) => {
  const closed = Promise.withResolvers<void>();
  const endless = new Readable({
    read() {
      this.push(Buffer.alloc(64 * 1024));
    },
    destroy(error, done) {
      closed.resolve();
      done(error);
    },
  });
  const server = await startTestServer(t, {
    getArtifact: async () => ({ body: endless, mediaType: 'text/plain', sizeBytes: null, fileName: null }),
  });
  const stop = new AbortController();
  const response = await server.call('viewer', 'GET', '/v1/artifacts/art_0123456789/content', {
    signal: stop.signal,
  });
  await response.body!.getReader().read();
  stop.abort();
  await closed.promise;
});
