/**
 * A box to start and stop in tests: answers /healthz, and /v1/status from `status.json`, writes
 * `box.json`, ends at SIGTERM. What it
 * should do otherwise is said in `behaviour` of its workspace.
 */
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    workspace: { type: 'string', default: '' },
    port: { type: 'string' },
    'gateway-port': { type: 'string' },
    'no-sandbox': { type: 'boolean' },
  },
});
const workspace = values.workspace;
const behaviour = readBehaviour();
appendFileSync(join(workspace, 'starts'), `${JSON.stringify(values)}\n`);

if (behaviour === 'fail') {
  console.log('some chatter');
  console.error('dbox: another box (process 12) holds this workspace');
  process.exit(1);
}
if (behaviour === 'deaf') process.on('SIGTERM', () => {});
else if (behaviour === 'lingering') {
  // As one that still ends its releases: it names itself no more, but is there until it is told.
  process.on('SIGTERM', () => rmSync(join(workspace, 'box.json'), { force: true }));
  process.on('SIGUSR2', () => process.exit(0));
} else {
  process.on('SIGTERM', () => {
    rmSync(join(workspace, 'box.json'), { force: true });
    process.exit(0);
  });
}

const server = createServer((request, response) => {
  response.setHeader('content-type', 'application/json');
  if (request.url === '/v1/status') response.end(readFileSync(join(workspace, 'status.json')));
  else response.end(JSON.stringify({ ok: true }));
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  const box = { pid: process.pid, url: `http://127.0.0.1:${port}`, version: '0.1.0', mode: 'process' };
  writeFileSync(join(workspace, 'box.json'), JSON.stringify(box));
});

function readBehaviour(): string {
  try {
    return readFileSync(join(workspace, 'behaviour'), 'utf8');
  } catch {
    return 'good';
  }
}
