import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';

const FORWARDER = join(import.meta.dirname, '../inside/forwarder.mjs');

/** A TCP server that answers each connection's whole input, once that has ended, in capitals. */
const SHOUTING_APP = `
const { createServer } = require('node:net');
process.on('SIGTERM', () => { console.log('asked to end'); process.exit(9); });
createServer({ allowHalfOpen: true }, (socket) => {
  let text = '';
  socket.on('data', (data) => (text += data));
  socket.on('end', () => socket.end(text.toUpperCase()));
}).listen(Number(process.argv[1]), process.argv[2], () => console.log('listening'));
`;

async function forward(t: TestContext, commandLine: (port: number) => string) {
  const dir = await mkdtemp(join(tmpdir(), 'fwd-'));
  const socketPath = join(dir, 'app.sock');
  const port = await freePort();
  const child = spawn(process.execPath, [FORWARDER, socketPath, String(port), commandLine(port)], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => lines.push(text.trim()));
  const exited = once(child, 'exit') as Promise<[code: number | null]>;
  t.after(async () => {
    child.kill('SIGTERM');
    await exited;
    await rm(dir, { recursive: true });
  });
  return { child, socketPath, lines, exited, listening: () => untilPrinted(child, 'listening') };
}

const shout = (host: string) => (port: number) =>
  `exec node -e "${SHOUTING_APP.replaceAll('"', '\\"')}" ${port} ${host}`;

for (const host of ['127.0.0.1', '::1']) {
  test(`an app that listens on ${host} alone is reached, and a half-closed connection still gets its answer`, async (t) => {
    const { socketPath, listening } = await forward(t, shout(host));
    await listening();
    for (const word of ['one', 'two']) assert.equal(await talk(socketPath, word), word.toUpperCase());
  });
}

test('while the app does not listen connections are closed rather than held', async (t) => {
  const { socketPath } = await forward(t, () => 'echo started; exec sleep 100');
  for (;;) {
    const outcome = await talk(socketPath, 'x').catch((error: NodeJS.ErrnoException) => error.code);
    // Not there yet, or there and not listened on yet.
    if (outcome === 'ENOENT' || outcome === 'ECONNREFUSED') continue;
    assert.ok(outcome === '' || outcome === 'ECONNRESET' || outcome === 'EPIPE', String(outcome));
    return;
  }
});

test('it ends with the app and as the app', async (t) => {
  const { exited } = await forward(t, () => 'exit 5');
  assert.equal((await exited)[0], 5);
});

test('a signal goes to the app, whose end decides', async (t) => {
  const { child, exited, listening, lines } = await forward(t, shout('127.0.0.1'));
  await listening();
  child.kill('SIGTERM');
  assert.equal((await exited)[0], 9);
  assert.ok(lines.includes('asked to end'));
});

function talk(path: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(path, () => socket.end(text));
    socket.setEncoding('utf8').on('data', (data) => {
      answer += data;
    });
    socket.once('close', () => resolve(answer));
    socket.once('error', reject);
  });
}

function untilPrinted(child: ChildProcess, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', (data) => String(data).includes(text) && resolve());
    child.once('exit', (code) => reject(new Error(`ended with ${code}`)));
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
