import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const main = join(dirname(fileURLToPath(import.meta.url)), '..', 'src', 'main.js');

test('the program listens where it is told to and ends on SIGTERM', { timeout: 20_000 }, async (t) => {
  const child = spawn(process.execPath, [main], {
    env: { PORT: '0', HOST: '127.0.0.1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  let out = '';
  for await (const chunk of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    out += chunk;
    if (out.includes('\n')) break;
  }
  const address = /http:\/\/127\.0\.0\.1:\d+/.exec(out)?.[0];
  assert.ok(address, out);
  assert.equal((await fetch(`${address}/healthz`)).status, 200);
  child.kill('SIGTERM');
  const [code, signal] = await once(child, 'exit');
  assert.deepEqual([code, signal], [0, null]);
});
