import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { ImpatientAgent } from './impatient-agent.ts';

test('a name that is not found in time is given up, and so is its request', async () => {
  const agent = new ImpatientAgent({ connectMs: 20, lookup: () => undefined });
  const [error] = await once(request({ agent, host: 'gone', port: 80 }).end(), 'error');
  assert.equal((error as NodeJS.ErrnoException).code, 'ETIMEDOUT');
});

test('an answer may take longer than its connection', async (t) => {
  const server = createServer((_, res) => void setTimeout(() => res.end('late'), 120)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const agent = new ImpatientAgent({ connectMs: 60, keepAlive: true });
  t.after(() => {
    agent.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  for (const time of ['first', 'again, on the kept connection']) {
    const [answer] = await once(request({ agent, host: '127.0.0.1', port }).end(), 'response');
    assert.equal((await answer.toArray()).join(''), 'late', time);
  }
});
