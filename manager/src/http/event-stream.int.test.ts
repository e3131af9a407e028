import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '@dbox/contracts';
import type { Call } from './handlers.ts';
import { startTestServer } from './testing/test-server.ts';

function eventOf(seq: number, type = 'task.verified'): Event {
  const at = '2026-01-01T00:00:00.000Z';
  return { seq, at, actor: 'system', type, subject: 'task/task-001', data: { n: seq }, hash: 'f'.repeat(64) };
}

/** Yields what is pushed until the signal fires; tells when it has ended. */
function createSource() {
  let wake = () => {};
  const queue: Event[] = [];
  const ended = Promise.withResolvers<void>();
  return {
    ended: ended.promise,
    push(event: Event) {
      queue.push(event);
      wake();
    },
    async *events(signal: AbortSignal): AsyncGenerator<Event> {
      try {
        while (!signal.aborted) {
          const event = queue.shift();
          if (event) yield event;
          else {
            await new Promise<void>((resolve) => {
              wake = resolve;
              signal.addEventListener('abort', () => resolve(), { once: true });
            });
          }
        }
      } finally {
        ended.resolve();
      }
    },
  };
}

/** Reads text until it holds `wanted`. */
async function readUntil(reader: ReadableStreamDefaultReader<string>, wanted: string): Promise<string> {
  let text = '';
  while (!text.includes(wanted)) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`the stream ended with ${JSON.stringify(text)}`);
    text += value;
  }
  return text;
}

function textOf(response: Response): ReadableStreamDefaultReader<string> {
  return response.body!.pipeThrough(new TextDecoderStream()).getReader();
}

test('events go out as they happen, each with its sequence number as id', async (t) => {
  const source = createSource();
  const server = await startTestServer(t, { streamEvents: async (call) => source.events(call.signal) });
  const response = await server.call('viewer', 'GET', '/v1/events/stream');
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  const reader = textOf(response);
  assert.equal(await readUntil(reader, '\n\n'), ': connected\n\n');
  source.push(eventOf(1));
  assert.equal(
    await readUntil(reader, '\n\n'),
    `id: 1\nevent: task.verified\ndata: ${JSON.stringify(eventOf(1))}\n\n`,
  );
  source.push(eventOf(2, 'broken\ndata: forged'));
  assert.match(await readUntil(reader, '\n\n'), /^id: 2\nevent: broken data: forged\ndata: /);
  await reader.cancel();
  await source.ended;
});

test('Last-Event-ID goes before the `after` of the address that the stream began with', async (t) => {
  const asked: Call<'streamEvents'>['query'][] = [];
  const server = await startTestServer(t, {
    streamEvents: async (call) => {
      asked.push(call.query);
      return (async function* () {})();
    },
  });
  await (await server.call('viewer', 'GET', '/v1/events/stream?after=3')).text();
  const headers = { 'last-event-id': '17' };
  await (await server.call('viewer', 'GET', '/v1/events/stream?after=3', { headers })).text();
  assert.deepEqual(asked, [{ after: 3 }, { after: 17 }]);
  const wrong = { 'last-event-id': 'x' };
  assert.equal((await server.call('viewer', 'GET', '/v1/events/stream', { headers: wrong })).status, 400);
});

test('a silent stream beats every 15 s', async (t) => {
  const source = createSource();
  const server = await startTestServer(t, { streamEvents: async (call) => source.events(call.signal) });
  const reader = textOf(await server.call('viewer', 'GET', '/v1/events/stream'));
  await readUntil(reader, ': connected\n\n');
  server.clock.advance(15_000);
  assert.equal(await readUntil(reader, '\n\n'), ': heartbeat\n\n');
  server.clock.advance(15_000);
  assert.equal(await readUntil(reader, '\n\n'), ': heartbeat\n\n');
  await reader.cancel();
});

test('a client that goes away ends its events and leaves no timer', async (t) => {
  const source = createSource();
  const server = await startTestServer(t, { streamEvents: async (call) => source.events(call.signal) });
  const timersBefore = server.clock.pending;
  const stop = new AbortController();
  const response = await server.call('viewer', 'GET', '/v1/events/stream', { signal: stop.signal });
  await readUntil(textOf(response), ': connected');
  assert.equal(server.clock.pending, timersBefore + 1);
  stop.abort();
  await source.ended;
  while (server.clock.pending > timersBefore) await new Promise(setImmediate);
});

test('a reader that takes nothing makes the events wait, and is cut off at last', async (t) => {
  let made = 0;
  const ended = Promise.withResolvers<void>();
  const server = await startTestServer(t, {
    streamEvents: async () =>
      (async function* () {
        try {
          for (;;) {
            made += 1;
            yield { ...eventOf(made), data: { text: 'x'.repeat(256 * 1024) } };
          }
        } finally {
          ended.resolve();
        }
      })(),
  });
  const timersBefore = server.clock.pending;
  const response = await server.call('viewer', 'GET', '/v1/events/stream');
  // Two timers: the heartbeat, and the patience with a reader whose buffers are full.
  while (server.clock.pending < timersBefore + 2) await new Promise(setImmediate);
  const madeWhenFull = made;
  for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
  assert.ok(
    made <= madeWhenFull + 1,
    `${made - madeWhenFull} more events were made for a reader that is full`,
  );
  server.clock.advance(60_000);
  await ended.promise;
  await assert.rejects(response.text());
});

test('events that fail break the connection and are logged', async (t) => {
  const server = await startTestServer(t, {
    streamEvents: async () =>
      (async function* () {
        yield eventOf(1);
        throw new Error('the ledger cannot be read');
      })(),
  });
  await assert.rejects(async () => (await server.call('viewer', 'GET', '/v1/events/stream')).text());
  assert.match(JSON.stringify(server.logged), /the ledger cannot be read/);
});

test('stopping ends streams and long polls, answers 503 and closes', async (t) => {
  const source = createSource();
  const waiting = Promise.withResolvers<void>();
  const server = await startTestServer(t, {
    streamEvents: async (call) => source.events(call.signal),
    leaseJob: (call) =>
      new Promise((_, reject) => {
        call.signal.addEventListener('abort', () => reject(call.signal.reason));
        waiting.resolve();
      }),
  });
  const stream = await server.call('viewer', 'GET', '/v1/events/stream');
  const body = JSON.stringify({ agentId: 'agt_0123456789', kinds: ['code'], waitMs: 30_000 });
  const poll = server.call('agent:coding', 'POST', '/v1/jobs/lease', {
    body,
    headers: { 'content-type': 'application/json' },
  });
  await waiting.promise;
  const closed = server.running.close();
  assert.equal(await stream.text(), ': connected\n\n');
  const response = await poll;
  assert.equal(response.status, 503);
  assert.equal(response.headers.get('connection'), 'close');
  assert.equal(((await response.json()) as { code: string }).code, 'stopping');
  await closed;
  await assert.rejects(server.call(null, 'GET', '/healthz'));
});

test('a call that ignores the stop is cut off when the grace is over', async (t) => {
  const waiting = Promise.withResolvers<void>();
  const server = await startTestServer(t, {
    getStatus: () => {
      waiting.resolve();
      return new Promise(() => {});
    },
  });
  const stuck = assert.rejects(server.call('viewer', 'GET', '/v1/status'));
  await waiting.promise;
  const closed = server.running.close();
  server.clock.advance(1000);
  await closed;
  await stuck;
});

test('the signal of a call fires when its client goes away', async (t) => {
  const waiting = Promise.withResolvers<AbortSignal>();
  const aborted = Promise.withResolvers<void>();
  const server = await startTestServer(t, {
    leaseJob: (call) =>
      new Promise((_, reject) => {
        call.signal.addEventListener('abort', () => {
          aborted.resolve();
          reject(call.signal.reason);
        });
        waiting.resolve(call.signal);
      }),
  });
  const stop = new AbortController();
  const poll = server.call('agent:coding', 'POST', '/v1/jobs/lease', {
    body: JSON.stringify({ agentId: 'agt_0123456789', kinds: ['code'], waitMs: 30_000 }),
    headers: { 'content-type': 'application/json' },
    signal: stop.signal,
  });
  poll.catch(() => {});
  await waiting.promise;
  stop.abort();
  await aborted.promise;
  assert.deepEqual(server.logged, []);
});
