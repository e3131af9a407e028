import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';

const SDK = join(import.meta.dirname, 'index.ts');
/** A service that registers nowhere: what it does on being started, on signals and on surprises is the subject. */
const service = (start: string) => `
  import { readAgentConfig, runService } from ${JSON.stringify(SDK)};
  await runService({ readConfig: () => readAgentConfig('testing', { capacity: 1 }), start: async (config, { echo }) => { ${start} } });
`;
const AGENT = `{ client: { call: async () => ({}) }, stop: async () => echo('stopped in order') }`;

async function start(t: TestContext, source: string, env: Record<string, string> = {}) {
  const dir = await mkdtemp(join(tmpdir(), 'service-'));
  await writeFile(join(dir, 'token'), 'a-token');
  await writeFile(join(dir, 'service.ts'), source);
  const child = spawn(process.execPath, ['--no-warnings', join(dir, 'service.ts')], {
    env: {
      PATH: process.env.PATH,
      DBOX_MANAGER_URL: 'http://127.0.0.1:9',
      DBOX_TOKEN_FILE: join(dir, 'token'),
      DBOX_STATE_DIR: dir,
      DBOX_AGENT_NAME: 'one',
      ...env,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'exit') as Promise<[number | null, string | null]>;
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
    await rm(dir, { recursive: true });
  });
  let text = '';
  const listeners = new Set<() => void>();
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    for (const look of listeners) look();
  });
  const said = (what: string) =>
    new Promise<void>((resolve) => {
      const look = () => text.includes(what) && resolve();
      listeners.add(look);
      look();
    });
  return { dir, child, ended, said, text: () => text };
}

test('SIGTERM stops the agent in order, and its health file speaks for it while it runs', async (t) => {
  const running = await start(t, service(`echo('up'); return ${AGENT};`));
  await running.said('up');
  const health = join(running.dir, 'one', 'health');
  while (!(await stat(health).catch(() => null))) await new Promise(setImmediate);
  running.child.kill('SIGTERM');
  assert.deepEqual(await running.ended, [0, null]);
  assert.match(running.text(), /stopped in order/);
});

test('SIGTERM ends an agent that still waits for its manager', async (t) => {
  const running = await start(
    t,
    service(`echo('waiting'); await new Promise((resolve) => setTimeout(resolve, 1e6));`),
  );
  await running.said('waiting');
  running.child.kill('SIGTERM');
  assert.deepEqual(await running.ended, [0, null]);
});

test('what nobody foresaw ends the process, and a wrong setting is one line without a trace', async (t) => {
  const surprised = await start(
    t,
    service(`setImmediate(() => { throw new Error('surprise'); }); return ${AGENT};`),
  );
  assert.deepEqual(await surprised.ended, [1, null]);
  assert.match(surprised.text(), /surprise/);
  const wrong = await start(t, service(`return ${AGENT};`), { DBOX_MANAGER_URL: '' });
  assert.deepEqual(await wrong.ended, [1, null]);
  assert.match(wrong.text(), /^dbox: DBOX_MANAGER_URL is not set[^\n]*\n$/);
});
