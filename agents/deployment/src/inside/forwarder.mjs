// @ts-check
// Runs inside a release's sandbox, beside the app: what arrives at a unix socket in a directory that
// both sides see goes to the app's own loopback port. The app is its child; it ends with the app.
//
// Plain JavaScript that imports node alone: it is bound into the sandbox as this one file, and one of
// it runs for each release, where stripping types would cost 17 MB and 0.1 s each.
//
// node forwarder.mjs SOCKET PORT COMMAND-LINE
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { constants } from 'node:os';

const [socketPath = '', portText = '', commandLine = ''] = process.argv.slice(2);
const port = Number(portText);

const app = spawn('/bin/sh', ['-c', commandLine], {
  stdio: ['ignore', 'inherit', 'inherit'],
  detached: true,
});
app.once('error', (error) => {
  console.error(`the app could not be started: ${error.message}`);
  process.exit(126);
});
app.once('exit', (code, signal) => {
  rmSync(socketPath, { force: true });
  process.exit(code ?? 128 + (signal ? constants.signals[signal] : 0));
});
for (const signal of /** @type {const} */ (['SIGTERM', 'SIGINT', 'SIGHUP'])) {
  process.on(signal, () => {
    try {
      if (app.pid !== undefined) process.kill(-app.pid, signal);
    } catch {
      // It has ended; its exit is on its way.
    }
  });
}

// An app that listens on `localhost` may have got either of the two; whichever answered last is tried first.
let hosts = ['127.0.0.1', '::1'];

/** @param {import('node:net').Socket} client @param {readonly string[]} candidates */
function forward(client, [host, ...others]) {
  const upstream = connect({ host, port, allowHalfOpen: true, noDelay: true });
  const onFirstError = (/** @type {NodeJS.ErrnoException} */ error) => {
    if (error.code === 'ECONNREFUSED' && others.length > 0) forward(client, others);
    else client.destroy();
  };
  upstream.once('error', onFirstError);
  upstream.once('connect', () => {
    if (host !== undefined && host !== hosts[0]) hosts = [host, ...hosts.filter((other) => other !== host)];
    upstream.off('error', onFirstError);
    upstream.on('error', () => client.destroy());
    client.on('error', () => upstream.destroy());
    client.once('close', () => upstream.destroy());
    upstream.once('close', () => client.end());
    if (client.destroyed) upstream.destroy();
    client.pipe(upstream).pipe(client);
  });
}

rmSync(socketPath, { force: true });
const server = createServer({ allowHalfOpen: true }, (client) => {
  client.on('error', () => client.destroy());
  forward(client, hosts);
});
server.on('error', (error) => {
  console.error(`the release's socket cannot be used: ${error.message}`);
  process.exit(126);
});
server.listen(socketPath);
