import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadApi } from '../src/api.js';
import { createApiServer } from '../src/server.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dataDir = mkdtempSync(join(tmpdir(), 'api-'));
process.on('exit', () => rmSync(dataDir, { recursive: true }));
const api = await loadApi({ root, dataDir });
const { base } = await listen(api);

async function listen(loaded) {
  const server = createApiServer(loaded);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // Neither it nor a connection kept open outlives the last test.
  server.unref();
  server.on('connection', (socket) => socket.unref());
  return { server, base: `http://127.0.0.1:${server.address().port}` };
}

async function call(method, path, body, headers = {}) {
  const response = await fetch(base + path, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    json: isJson && text !== '' ? JSON.parse(text) : null,
    text,
  };
}

/** A body that the resource takes, whatever its fields are. */
function bodyFor(resource) {
  const examples = { string: 'Something', boolean: true, integer: 1, strings: ['one'] };
  return Object.fromEntries(
    Object.entries(resource.fields).map(([name, { type }]) => [name, examples[type]]),
  );
}

const first = () => api.resources[0];
const textField = () => Object.entries(first().fields).find(([, { type }]) => type === 'string')[0];

test('it is healthy, describes itself and shows a page', async () => {
  assert.deepEqual((await call('GET', '/healthz')).json, { ok: true });
  const page = await call('GET', '/');
  assert.equal(page.status, 200);
  assert.match(page.text, /<h1/);
  assert.doesNotMatch(page.text.replace(/&[a-z#0-9]+;/g, ''), /<script/i);
  const { json } = await call('GET', '/openapi.json');
  assert.equal(json.openapi, '3.1.0');
  for (const { name } of api.resources) {
    assert.ok(json.paths[`/${name}`]?.post, name);
    assert.ok(json.paths[`/${name}/{id}`]?.patch, name);
  }
});

test('every reference of the description leads somewhere', async () => {
  const { json, text } = await call('GET', '/openapi.json');
  const names = [...text.matchAll(/"\$ref": ?"#\/components\/schemas\/([^"]+)"/g)].map((match) => match[1]);
  assert.ok(names.length > 0);
  for (const name of names) assert.ok(json.components.schemas[name], name);
});

test('every resource can be added to, read, changed, replaced, listed and removed from', async () => {
  for (const resource of api.resources) {
    const added = await call('POST', `/${resource.name}`, bodyFor(resource));
    assert.equal(added.status, 201, added.text);
    const path = added.headers.get('location');
    assert.equal(path, `/${resource.name}/${added.json.id}`);
    assert.deepEqual((await call('GET', path)).json, added.json);
    const changed = await call('PATCH', path, {});
    assert.equal(changed.json.version, 2);
    assert.equal((await call('PUT', path, bodyFor(resource))).json.version, 3);
    const { items } = (await call('GET', `/${resource.name}`)).json;
    assert.ok(items.some(({ id }) => id === added.json.id));
    assert.equal((await call('DELETE', path)).status, 204);
    assert.equal((await call('GET', path)).status, 404);
    assert.equal((await call('DELETE', path)).status, 404);
  }
});

test('text comes back as it was sent, whatever it holds', async () => {
  const text = '"\'</script>$\u007b1}{{x}}\n\u2028🧨 שלום';
  const added = await call('POST', `/${first().name}`, { ...bodyFor(first()), [textField()]: text });
  assert.equal(added.json[textField()], text);
  await call('DELETE', added.headers.get('location'));
});

test('a list is read in pages, each record once, in the order they were made', async () => {
  const made = [];
  for (let n = 0; n < 5; n += 1)
    made.push((await call('POST', `/${first().name}`, bodyFor(first()))).json.id);
  const seen = [];
  let after = '';
  do {
    const { items, next } = (await call('GET', `/${first().name}?limit=2${after}`)).json;
    assert.ok(items.length <= 2);
    seen.push(...items.map(({ id }) => id));
    after = next === null ? null : `&after=${next}`;
  } while (after !== null);
  assert.deepEqual(seen, made);
  for (const id of made) await call('DELETE', `/${first().name}/${id}`);
});

test('wrong fields are all named, and nothing is kept', async () => {
  const answer = await call('POST', `/${first().name}`, { [textField()]: 7, nonsense: true });
  assert.equal(answer.status, 422);
  assert.match(answer.headers.get('content-type'), /^application\/problem\+json/);
  assert.deepEqual(answer.json.errors.map(({ field }) => field).sort(), ['nonsense', textField()].sort());
  assert.deepEqual((await call('GET', `/${first().name}`)).json.items, []);
});

test('what cannot be understood is told so', async () => {
  const path = `/${first().name}`;
  const cases = [
    [await call('POST', path, '{'), 400],
    [await call('POST', path, '[]'), 422],
    [await call('POST', path, 'x', { 'content-type': 'text/plain' }), 415],
    [await call('POST', path, { [textField()]: 'x'.repeat(200_000) }), 413],
    [await call('GET', `${path}?limit=0`), 400],
    [await call('GET', `${path}?limit=many`), 400],
    [await call('GET', `${path}/${'0'.repeat(32)}`), 404],
    [await call('GET', `${path}/..%2f..%2fsite`), 404],
    [await call('GET', '/nothing-here'), 404],
    [await call('GET', `${path}/a/b`), 404],
    [await call('DELETE', path), 405],
    [await call('POST', '/healthz', {}), 405],
  ];
  for (const [answer, status] of cases) {
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.json.status, status);
    assert.ok(answer.json.detail.length > 0);
  }
  assert.equal((await call('DELETE', path)).headers.get('allow'), 'GET, POST');
});

test('whoever sends If-Match changes only what they have seen', async () => {
  const added = await call('POST', `/${first().name}`, bodyFor(first()));
  const path = added.headers.get('location');
  const tag = added.headers.get('etag');
  assert.equal((await call('PATCH', path, {}, { 'if-match': tag })).status, 200);
  assert.equal((await call('PATCH', path, {}, { 'if-match': tag })).status, 412);
  assert.equal((await call('DELETE', path, undefined, { 'if-match': tag })).status, 412);
  assert.equal((await call('DELETE', path, undefined, { 'if-match': '"2"' })).status, 204);
});

test('changes of one record at the same time are all counted', async () => {
  const { headers } = await call('POST', `/${first().name}`, bodyFor(first()));
  const path = headers.get('location');
  await Promise.all(Array.from({ length: 8 }, () => call('PATCH', path, {})));
  assert.equal((await call('GET', path)).json.version, 9);
  await call('DELETE', path);
});

test('another process on the same data sees what this one wrote', async () => {
  const added = await call('POST', `/${first().name}`, bodyFor(first()));
  const other = await listen(await loadApi({ root, dataDir }));
  const path = added.headers.get('location');
  assert.deepEqual(await (await fetch(other.base + path)).json(), added.json);
  await call('PATCH', path, {});
  assert.equal((await (await fetch(other.base + path)).json()).version, 2);
  other.server.close();
  other.server.closeAllConnections();
  await call('DELETE', path);
});

test('nothing but whole records is left on disk', async () => {
  const added = await call('POST', `/${first().name}`, bodyFor(first()));
  assert.deepEqual(await readdir(join(dataDir, first().name)), [`${added.json.id}.json`]);
  await call('DELETE', added.headers.get('location'));
});

test('the example call of the start page names the address that was asked for, but only if it is a name', async () => {
  assert.match((await call('GET', '/')).text, new RegExp(`curl -X POST ${base}/`));
  const { port } = new URL(base);
  const request = connect(Number(port), '127.0.0.1');
  request.end('GET / HTTP/1.1\r\nhost: evil.example/$(id)\r\nconnection: close\r\n\r\n');
  const answer = await readText(request);
  assert.match(answer, /curl -X POST http:\/\/localhost\//);
  assert.doesNotMatch(answer, /evil/);
});
