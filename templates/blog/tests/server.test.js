import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadBlog } from '../src/blog.js';
import { createBlogServer } from '../src/server.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const blog = await loadBlog(root);
const server = createBlogServer({ blog, siteUrl: null });
server.listen(0, '127.0.0.1');
await once(server, 'listening');
// Neither it nor a connection kept open outlives the last test.
server.unref();
server.on('connection', (socket) => socket.unref());
const base = `http://127.0.0.1:${server.address().port}`;

/** Sends the path as it is: fetch would tidy it up first. */
async function ask(path, { method = 'GET', headers = {} } = {}) {
  const sent = request({
    port: server.address().port,
    host: '127.0.0.1',
    path,
    method,
    headers,
    agent: false,
  });
  sent.end();
  const [response] = await once(sent, 'response');
  let text = '';
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode, headers: response.headers, text };
}

test('the start page is served with headers that forbid scripts', async () => {
  const answer = await ask('/');
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['content-type'], 'text/html; charset=utf-8');
  assert.match(answer.headers['content-security-policy'], /default-src 'none'/);
  assert.equal(Number(answer.headers['content-length']), Buffer.byteLength(answer.text));
});

test('it says that it is healthy', async () => {
  assert.equal(JSON.parse((await ask('/healthz')).text).ok, true);
});

test('every post is served, also where the last slash is missing', async () => {
  for (const { slug } of blog.posts) {
    assert.equal((await ask(`/posts/${slug}/`)).status, 200);
    const moved = await ask(`/posts/${slug}`);
    assert.deepEqual([moved.status, moved.headers.location], [308, `/posts/${slug}/`]);
  }
});

test('an address without a page is not found, and never a file outside', async () => {
  for (const path of [
    '/nothing',
    '/posts/',
    '/../package.json',
    '/..%2f..%2fpackage.json',
    '/%00',
    '/%zz',
    '/public/style.css',
    '//style.css',
  ]) {
    const answer = await ask(path);
    assert.equal(answer.status, 404, path);
    assert.match(answer.text, /There is no page here/);
  }
});

test('a page that has not changed is not sent again', async () => {
  const { headers } = await ask('/');
  const again = await ask('/', { headers: { 'if-none-match': headers.etag } });
  assert.deepEqual([again.status, again.text], [304, '']);
});

test('HEAD gets the headers alone, other methods are refused', async () => {
  const head = await ask('/', { method: 'HEAD' });
  assert.deepEqual([head.status, head.text], [200, '']);
  assert.ok(Number(head.headers['content-length']) > 0);
  const post = await ask('/', { method: 'POST' });
  assert.deepEqual([post.status, post.headers.allow], [405, 'GET, HEAD']);
});

test('the feed names the site as it was asked for, but only if that is a name', async () => {
  assert.ok(
    (await ask('/feed.xml', { headers: { host: 'blog.example:81' } })).text.includes(
      '<link>http://blog.example:81/</link>',
    ),
  );
  assert.ok(
    (await ask('/feed.xml', { headers: { host: 'x"<y>' } })).text.includes('<link>http://localhost/</link>'),
  );
});

test('fetch follows a tag from the tags page', async () => {
  const html = await (await fetch(`${base}/tags/`)).text();
  for (const [, href] of html.matchAll(/href="(\/tags\/[^"]+)"/g))
    assert.equal((await fetch(base + href)).status, 200);
});
