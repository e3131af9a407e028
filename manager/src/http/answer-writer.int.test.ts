import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { writeBytes } from './answer-writer.ts';

const STALLED_MS = 150;

async function serve(t: TestContext, body: Readable) {
  const written = Promise.withResolvers<unknown>();
  const server = createServer((_, outgoing) => {
    const stream = { body, mediaType: 'application/x-tar', sizeBytes: null, fileName: null };
    writeBytes(outgoing, stream, STALLED_MS).then(written.resolve, written.resolve);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const [answer] = (await once(get({ port: (server.address() as AddressInfo).port }), 'response')) as [
    IncomingMessage,
  ];
  return { answer, written: written.promise };
}

test('what takes long to make is waited for', async (t) => {
  const slow = (async function* () {
    yield 'one ';
    await new Promise((resolve) => setTimeout(resolve, STALLED_MS * 3));
    yield 'two';
  })();
  const { answer, written } = await serve(t, Readable.from(slow, { objectMode: false }));
  assert.equal((await buffer(answer)).toString(), 'one two');
  assert.equal(await written, undefined);
});

test('a reader that takes nothing is cut off, and the source is let go', async (t) => {
  let given = 0;
  const closed = Promise.withResolvers<void>();
  const endless = (async function* () {
    try {
      for (; ; given++) yield Buffer.alloc(1024 * 1024);
    } finally {
      closed.resolve();
    }
  })();
  const { answer, written } = await serve(t, Readable.from(endless, { objectMode: false }));
  answer.pause();
  answer.on('error', () => {});
  assert.ok((await written) instanceof Error);
  await closed.promise;
  assert.ok(given < 50, `${given} MiB were made for nobody`);
});
