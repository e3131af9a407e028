import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { createClient, type Problem, ProblemError, type Story } from '@dbox/contracts';
import { IllegalTransitionError } from '../domain/lifecycles.ts';
import { BundleRefusedError } from '../ports/repositories.ts';
import { VersionConflictError } from '../ports/store.ts';
import type { Call } from './handlers.ts';
import { JOB_ID, OTHER_JOB_ID, startTestServer } from './testing/test-server.ts';

const JSON_HEADERS = { 'content-type': 'application/json' };
const story: Story = {
  id: 'st_0123456789',
  project: 'blog',
  text: 'a blog',
  status: 'received',
  reason: null,
  taskIds: [],
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
};

async function problemOf(response: Response, status: number): Promise<Problem> {
  const text = await response.text();
  assert.equal(response.status, status, text);
  assert.equal(response.headers.get('content-type'), 'application/problem+json');
  const problem = JSON.parse(text) as Problem;
  assert.equal(problem.status, status);
  return problem;
}

test('the typed client gets what a handler answers', async (t) => {
  let seen: Call<'submitStory'> | undefined;
  const server = await startTestServer(t, {
    submitStory: async (call) => {
      seen = call;
      return { story, project: { name: 'blog', created: true } };
    },
  });
  const client = createClient({ baseUrl: server.url, token: server.token('operator') });
  const answer = await client.call('submitStory', {
    body: { text: 'a blog' },
    headers: { 'idempotency-key': 'k1' },
  });
  assert.deepEqual(answer, { story, project: { name: 'blog', created: true } });
  assert.equal(seen?.header('Idempotency-Key'), 'k1');
  assert.deepEqual(seen?.body, { text: 'a blog' });
  assert.equal(seen?.bodyHash, hash('sha256', '{"text":"a blog"}', 'hex'));
});

test('an answer holds what the contract names and nothing else of a record', async (t) => {
  const record = { ...story, version: 4, planFrom: 'text' as const };
  const server = await startTestServer(t, { listStories: async () => ({ stories: [record] }) });
  const response = await server.call('viewer', 'GET', '/v1/stories');
  assert.deepEqual(await response.json(), { stories: [story] });
});

test('a null answer is 204 where the contract allows it and a bug where it does not', async (t) => {
  const server = await startTestServer(t, { leaseJob: async () => null, getStory: async () => null });
  const body = JSON.stringify({ agentId: 'agt_0123456789', kinds: ['code'], waitMs: 0 });
  const lease = await server.call('agent:coding', 'POST', '/v1/jobs/lease', { body, headers: JSON_HEADERS });
  assert.equal(lease.status, 204);
  assert.equal(await lease.text(), '');
  await problemOf(await server.call('viewer', 'GET', `/v1/stories/${story.id}`), 500);
});

test('a query is parsed by its contract, with its defaults', async (t) => {
  let query: unknown;
  const server = await startTestServer(t, {
    listEvents: async (call) => {
      query = call.query;
      return { events: [] };
    },
  });
  await server.call('viewer', 'GET', '/v1/events?limit=5&subject=task%2Ftask-001');
  assert.deepEqual(query, { after: 0, limit: 5, subject: 'task/task-001' });
});

test('wrong parameters, queries and bodies are refused with the path of each fault', async (t) => {
  const server = await startTestServer(t, {});
  const inPath = await problemOf(await server.call('viewer', 'GET', '/v1/stories/..%2f..%2fetc'), 400);
  assert.equal(inPath.code, 'invalid_request');
  assert.deepEqual(
    inPath.findings?.map(({ file, path }) => [file, path]),
    [['path', 'storyId']],
  );

  await problemOf(await server.call('viewer', 'GET', '/v1/events?subject=task%2F%00'), 400);
  const inQuery = await problemOf(await server.call('viewer', 'GET', '/v1/events?limit=0'), 400);
  assert.deepEqual(
    inQuery.findings?.map(({ file, path }) => [file, path]),
    [['query', 'limit']],
  );

  const twice = await problemOf(await server.call('viewer', 'GET', '/v1/events?limit=1&limit=2'), 400);
  assert.match(twice.detail, /twice/);

  const body = JSON.stringify({ documents: [{ file: 'a.yaml', yaml: 7, attachments: [] }] });
  const inBody = await problemOf(
    await server.call('operator', 'POST', '/v1/stories', { body, headers: JSON_HEADERS }),
    400,
  );
  assert.deepEqual(
    inBody.findings?.map(({ file, path }) => [file, path]),
    [['body', 'documents[0].yaml']],
  );
});

test('unknown keys are refused at any depth, and so are unknown query keys', async (t) => {
  const server = await startTestServer(t, {});
  const post = (role: 'operator' | 'gateway' | 'job', path: string, value: unknown) =>
    server.call(role, 'POST', path, { body: JSON.stringify(value), headers: JSON_HEADERS });
  const flat = await problemOf(await post('operator', '/v1/stories', { text: 'a', storyy: 1 }), 400);
  assert.deepEqual(
    flat.findings?.map(({ path }) => path),
    ['storyy'],
  );

  const listeners = [{ project: 'blog', environment: 'dev', port: 1, tls: true }];
  const deep = await problemOf(await post('gateway', '/v1/topology/ack', { revision: 1, listeners }), 400);
  assert.deepEqual(
    deep.findings?.map(({ path }) => path),
    ['listeners[0].tls'],
  );

  const result = { kind: 'check', outcome: 'succeeded', checks: [], note: 'x' };
  const inUnion = await problemOf(await post('job', `/v1/jobs/${JOB_ID}/result`, result), 400);
  assert.deepEqual(
    inUnion.findings?.map(({ path }) => path),
    ['note'],
  );

  const query = await problemOf(await server.call('viewer', 'GET', '/v1/events?from=1'), 400);
  assert.match(query.detail, /after, limit, subject/);
});

test('keys that reach for prototypes are unknown keys and pollute nothing', async (t) => {
  const server = await startTestServer(t, {});
  for (const body of [
    '{"text":"a","__proto__":{"admin":true}}',
    '{"text":"a","constructor":{"prototype":{"admin":true}}}',
    '{"startedAt":"x","releases":[{"releaseId":"rel_0123456789","statuses":{"__proto__":1},"latencyBuckets":[],"latencySumMs":0,"servingForMs":null,"openCount":0}]}',
  ]) {
    const isTraffic = body.includes('releases');
    const response = isTraffic
      ? await server.call('gateway', 'POST', '/v1/traffic', { body, headers: JSON_HEADERS })
      : await server.call('operator', 'POST', '/v1/stories', { body, headers: JSON_HEADERS });
    const problem = await problemOf(response, 400);
    assert.match(problem.findings?.[0]?.path ?? '', /__proto__|constructor/);
  }
  assert.equal(({} as { admin?: boolean }).admin, undefined);
});

test('a JSON body that is malformed, no UTF-8, missing or too deep is refused as such', async (t) => {
  const server = await startTestServer(t, {});
  const post = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = JSON_HEADERS) =>
    server.call('operator', 'POST', '/v1/stories', { body, headers });
  const malformed = await problemOf(await post('{"text":\n  "a",,}'), 400);
  assert.equal(malformed.findings?.[0]?.line, 2);
  assert.equal(malformed.findings?.[0]?.column, 7);
  assert.match((await problemOf(await post(''), 400)).detail, /none came/);
  assert.match((await problemOf(await post(new Uint8Array([0x22, 0xff, 0x22])), 400)).detail, /UTF-8/);
  assert.match((await problemOf(await post('['.repeat(200_000)), 400)).detail, /nested/);
  assert.match((await problemOf(await post('{"text":"\\ud800"}'), 400)).detail, /Unicode/);
  assert.match(
    (await problemOf(await post('text=a', { 'content-type': 'text/plain' }), 400)).detail,
    /application\/json/,
  );
  const packed = { ...JSON_HEADERS, 'content-encoding': 'gzip' };
  assert.match((await problemOf(await post('{}', packed), 400)).detail, /gzip/);
});

test('a call that takes no body refuses one', async (t) => {
  const server = await startTestServer(t, {});
  const response = await server.call('operator', 'POST', `/v1/stories/${story.id}/cancel`, {
    body: '{}',
    headers: JSON_HEADERS,
  });
  assert.match((await problemOf(response, 400)).detail, /no body/);
});

test('a job token opens its own job and no other', async (t) => {
  let caller: Call<'heartbeatJob'>['caller'] | undefined;
  const server = await startTestServer(t, {
    heartbeatJob: async (call) => {
      caller = call.caller;
      return { order: 'continue', expiresAt: story.createdAt };
    },
  });
  const own = await server.call('job', 'POST', `/v1/jobs/${JOB_ID}/heartbeat`);
  assert.deepEqual(await own.json(), { order: 'continue', expiresAt: story.createdAt });
  assert.deepEqual(caller, { role: 'job', actor: `job:${JOB_ID}`, job: { jobId: JOB_ID, fence: 3 } });
  caller = undefined;
  const other = await server.call('job', 'POST', `/v1/jobs/${OTHER_JOB_ID}/heartbeat`);
  assert.equal((await problemOf(other, 403)).code, 'forbidden');
  assert.equal(caller, undefined);
});

test('a missing token is answered with the scheme to use', async (t) => {
  const server = await startTestServer(t, {});
  const response = await server.call(null, 'GET', '/v1/status');
  assert.match(response.headers.get('www-authenticate') ?? '', /^Bearer/);
  assert.equal((await problemOf(response, 401)).code, 'unauthenticated');
});

test('a problem that a handler throws goes out as it is', async (t) => {
  const server = await startTestServer(t, {
    getStatus: async () => {
      throw new ProblemError('store_unavailable', 'The store is away.', { retryAfterSeconds: 3 });
    },
  });
  const response = await server.call('viewer', 'GET', '/v1/status');
  assert.equal(response.headers.get('retry-after'), '3');
  assert.deepEqual(await problemOf(response, 503), {
    type: 'urn:dbox:problem:store_unavailable',
    title: 'store unavailable',
    status: 503,
    code: 'store_unavailable',
    detail: 'The store is away.',
    retryAfterSeconds: 3,
  });
});

test('what ports and domain throw becomes the problem it means', async (t) => {
  let thrown: Error = new Error();
  const server = await startTestServer(t, {
    getStatus: async () => {
      throw thrown;
    },
  });
  const sqlite = (errcode: number) =>
    Object.assign(new Error('sqlite'), { code: 'ERR_SQLITE_ERROR', errcode });
  for (const [error, code] of [
    [new VersionConflictError('x'), 'conflict'],
    [new BundleRefusedError('no bundle'), 'bundle_refused'],
    [new IllegalTransitionError('task', 'task-001', 'failed', 'deployed'), 'illegal_transition'],
    [Object.assign(new Error('write'), { code: 'ENOSPC' }), 'disk_full'],
    [new Error('wrapped', { cause: sqlite(13) }), 'disk_full'],
    [sqlite(5), 'store_unavailable'],
    [sqlite(2570), 'store_unavailable'],
    [sqlite(1), 'internal'],
  ] as const) {
    thrown = error;
    const response = await server.call('viewer', 'GET', '/v1/status');
    assert.equal(((await response.json()) as Problem).code, code);
    assert.equal(
      response.headers.has('retry-after'),
      ['conflict', 'disk_full', 'store_unavailable'].includes(code),
    );
  }
});

test('a bug is logged whole under an id and tells the client that id alone', async (t) => {
  const server = await startTestServer(t, {
    getStatus: async () => {
      throw new TypeError('secret detail', { cause: new Error('deeper') });
    },
  });
  const problem = await problemOf(await server.call('viewer', 'GET', '/v1/status'), 500);
  assert.equal(problem.code, 'internal');
  assert.doesNotMatch(JSON.stringify(problem), /secret|deeper|\.ts/);
  const id = /err_[0-9a-f]{12}/.exec(problem.detail)?.[0];
  const entry = server.logged.find(({ message }) => message.includes(id!));
  assert.match(JSON.stringify(entry?.data), /secret detail.*server\.int\.test.*deeper/);
});

test('an unknown path names close ones and a wrong method the right ones', async (t) => {
  const server = await startTestServer(t, {});
  const typo = await problemOf(await server.call('viewer', 'GET', '/v1/storys'), 404);
  assert.match(typo.detail, /GET \/v1\/stories/);
  const method = await server.call('viewer', 'DELETE', '/v1/stories');
  assert.equal(method.headers.get('allow'), 'GET, POST');
  assert.match((await problemOf(method, 404)).detail, /takes GET, POST/);
  assert.equal((await problemOf(await server.call(null, 'GET', '/nothing/like/it'), 404)).code, 'not_found');
});

test('a request under a foreign host name is refused before anything else', async (t) => {
  const server = await startTestServer(
    t,
    { getHealth: async () => ({ ok: true }) },
    { hostNames: ['box.lan'] },
  );
  const ask = (host: string) =>
    server.raw(`GET /healthz HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  for (const host of ['localhost', 'LOCALHOST:7700', '127.0.0.1:1', '[::1]:7700', 'box.lan']) {
    assert.match(await ask(host), /^HTTP\/1\.1 200 /, host);
  }
  for (const host of ['evil.example', '127.0.0.1.evil.example', 'localhost.evil.example:7700', '::1', '']) {
    const answer = await ask(host);
    assert.match(answer, /^HTTP\/1\.1 4/, host);
    assert.match(answer, /application\/problem\+json/, host);
  }
  const none = await server.raw('GET /healthz HTTP/1.0\r\n\r\n');
  assert.match(none, /^HTTP\/1\.1 400 .*problem\+json/s);
});

test('what is no HTTP at all gets a problem document too', async (t) => {
  const server = await startTestServer(t, {});
  for (const bytes of [
    'nonsense\r\n\r\n',
    `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`,
  ]) {
    const answer = await server.raw(bytes);
    assert.match(answer, /^HTTP\/1\.1 400 /);
    assert.match(answer, /"code":"invalid_request"/);
  }
  const absolute = await server.raw('GET http://[ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  assert.match(absolute, /application\/problem\+json/);
});

test('HEAD answers like GET, without the body', async (t) => {
  const server = await startTestServer(t, { getHealth: async () => ({ ok: true }) });
  const response = await server.call(null, 'HEAD', '/healthz');
  assert.equal(response.status, 200);
  assert.equal(await response.text(), '');
});

test('each answer is told to whoever counts', async (t) => {
  const answers: unknown[] = [];
  const server = await startTestServer(
    t,
    { getHealth: async () => ({ ok: true }) },
    { onAnswer: ({ operation, status }) => answers.push([operation, status]) },
  );
  await (await server.call(null, 'GET', '/healthz')).text();
  await (await server.call(null, 'GET', '/v1/status')).text();
  await (await server.call(null, 'GET', '/nothing')).text();
  assert.deepEqual(answers, [
    ['getHealth', 200],
    ['getStatus', 401],
    ['unknown', 404],
  ]);
});

test('a port that is taken is told as such', async (t) => {
  const server = await startTestServer(t, {});
  await assert.rejects(server.listenAgain(server.running.port), { code: 'EADDRINUSE' });
});

test('a connection that was opened ahead and never used does not hold up a stop', {
  timeout: 10_000,
}, async (t) => {
  // Nobody moves the clock, so the grace does not end: only closing the connection ends the stop.
  const server = await startTestServer(t, {});
  const unused = connect(server.running.port, '127.0.0.1');
  await once(unused, 'connect');
  await (await server.call(null, 'GET', '/healthz')).text();
  const closed = once(unused, 'close');
  unused.on('error', () => {});
  await server.running.close();
  await closed;
});
