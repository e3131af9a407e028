import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';

const SERVER = join(import.meta.dirname, '../inside/static-server.mjs');

/** The file is there a moment before the server listens on it. */
function canConnect(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function serve(t: TestContext, files: Readonly<Record<string, string>>) {
  const dir = await mkdtemp(join(tmpdir(), 'static-'));
  const root = join(dir, 'root');
  await mkdir(root);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  const socketPath = join(dir, 's');
  const child = spawn(process.execPath, [SERVER, socketPath, root], {
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exited = once(child, 'exit');
  t.after(async () => {
    child.kill();
    await exited;
    await rm(dir, { recursive: true });
  });
  while (!(await canConnect(socketPath))) await new Promise(setImmediate);
  return (path: string, o: { method?: string; headers?: Record<string, string> } = {}) =>
    new Promise<{ status: number; headers: IncomingHttpHeaders; body: string }>((resolve, reject) => {
      const req = request({ socketPath, path, agent: false, ...o }, (res) => {
        let body = '';
        res.setEncoding('utf8').on('data', (chunk) => {
          body += chunk;
        });
        res.once('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, body }));
      });
      req.once('error', reject);
      req.end();
    });
}

test('a file that the browser has is not sent again, a changed one is', async (t) => {
  const get = await serve(t, { 'a.txt': 'text' });
  const { headers } = await get('/a.txt');
  assert.equal((await get('/a.txt', { headers: { 'if-none-match': headers.etag! } })).status, 304);
  assert.equal(
    (await get('/a.txt', { headers: { 'if-modified-since': headers['last-modified']! } })).status,
    304,
  );
  assert.equal((await get('/a.txt', { headers: { 'if-none-match': '"other"' } })).body, 'text');
  assert.equal(headers['cache-control'], 'no-cache');
});

test('a range of a file is sent alone', async (t) => {
  const get = await serve(t, { 'a.bin': '0123456789' });
  const range = (value: string) => get('/a.bin', { headers: { range: value } });
  const middle = await range('bytes=2-4');
  assert.deepEqual(
    [middle.status, middle.body, middle.headers['content-range']],
    [206, '234', 'bytes 2-4/10'],
  );
  assert.equal((await range('bytes=-3')).body, '789');
  assert.equal((await range('bytes=8-100')).body, '89');
  assert.equal((await range('bytes=10-')).status, 416);
  assert.equal((await range('lines=1-2')).status, 200);
});

test('HEAD tells the size without the file, and nothing can be written', async (t) => {
  const get = await serve(t, { 'a.txt': 'text' });
  const head = await get('/a.txt', { method: 'HEAD' });
  assert.deepEqual([head.status, head.headers['content-length'], head.body], [200, '4', '']);
  assert.equal((await get('/a.txt', { method: 'PUT' })).status, 405);
});

test('names with spaces, signs and other scripts are found, broken escapes are refused', async (t) => {
  const get = await serve(t, { 'ä b/%20.html': 'odd', 'index.html': 'home' });
  assert.equal((await get(encodeURI('/ä b/') + encodeURIComponent('%20.html'))).body, 'odd');
  assert.equal((await get('/%E0%A4%A')).status, 400);
  assert.equal((await get('/?q=1')).body, 'home');
});

test('a directory is redirected to with its query and never to another host', async (t) => {
  const get = await serve(t, { 'docs/index.html': 'docs' });
  const { status, headers } = await get('/docs?page=2');
  assert.deepEqual([status, headers.location], [308, '/docs/?page=2']);
  assert.equal((await get('//docs')).status, 404);
});

test('a directory that does not exist ends it with a sentence', async () => {
  const child = spawn(process.execPath, [SERVER, '/nonexistent/s', '/nonexistent'], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (data) => {
    said += data;
  });
  const [code] = await once(child, 'close');
  assert.equal(code, 1);
  assert.match(said, /there is no directory to serve/);
});
