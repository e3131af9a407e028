import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { startPostgresServer, urlOf } from './adapters/store-sql/testing/postgres-server.ts';
import { readConfig } from './config.ts';
import { type RunningManager, startManager } from './main.ts';

const run = promisify(execFile);
/** One that may be stopped and paused, and keeps what it holds while it is down. */
const { server, skip } = await startPostgresServer({ ownContainer: true });
const docker = (...args: string[]) => run('docker', args);

async function makeBox(t: TestContext) {
  const workspace = await mkdtemp(join(tmpdir(), 'dbox-outage-'));
  const address = await server!.makeDatabase();
  const running = new Set<RunningManager>();
  // In this order: a manager that works would fill its workspace while it is removed.
  t.after(async () => {
    await Promise.all([...running].map((manager) => manager.stop()));
    await rm(workspace, { recursive: true, force: true });
  });
  const said: string[] = [];
  const start = async () => {
    const manager = await startManager({
      config: readConfig({
        PATH: process.env.PATH,
        DBOX_WORKSPACE: workspace,
        DBOX_PORT: '0',
        DBOX_STORE: urlOf(address),
      }),
      version: 'test',
      mode: 'process',
      templatesDir: resolve(import.meta.dirname, '../../templates'),
      say: (line) => said.push(line),
    });
    running.add(manager);
    const stop = async () => {
      running.delete(manager);
      await manager.stop();
    };
    const ask = (path: string, init: RequestInit = {}) =>
      fetch(manager.url + path, {
        ...init,
        headers: {
          authorization: `Bearer ${manager.tokens.get('admin')}`,
          'content-type': 'application/json',
          ...(init.headers as Record<string, string>),
        },
      });
    const submit = (key: string) =>
      ask('/v1/stories', {
        method: 'POST',
        headers: { 'idempotency-key': key },
        body: JSON.stringify({ text: `Build a site about ${key}` }),
      });
    return { stop, ask, submit };
  };
  return { workspace, start, said };
}

async function until(what: () => Promise<boolean>): Promise<void> {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 50));
}

async function assertUnavailable(answer: Response): Promise<void> {
  assert.equal(answer.status, 503);
  assert.ok(Number(answer.headers.get('retry-after')) > 0);
  assert.equal(answer.headers.get('content-type'), 'application/problem+json');
  assert.equal(((await answer.json()) as { code: string }).code, 'store_unavailable');
}

async function storyCount(ask: (path: string) => Promise<Response>): Promise<number> {
  const { stories } = (await (await ask('/v1/stories')).json()) as { stories: unknown[] };
  return stories.length;
}

describe('a manager whose Postgres goes away', { skip, timeout: 180_000 }, () => {
  test('answers 503 with Retry-After while it is paused, and goes on when it is back', async (t) => {
    const box = await makeBox(t);
    const { ask, submit } = await box.start();
    assert.equal((await submit('before')).status, 200);
    await docker('pause', server!.container!);
    try {
      // Both are kept for the seconds until the silence is noticed.
      await Promise.all([ask('/v1/tasks').then(assertUnavailable), submit('during').then(assertUnavailable)]);
      await assertUnavailable(await submit('during'));
    } finally {
      await docker('unpause', server!.container!);
    }
    // The same submission again, as a client does that was told to.
    await until(async () => (await submit('during')).ok);
    assert.equal(await storyCount(ask), 2);
    const report = (await (await ask('/v1/events/verify')).json()) as { ok: boolean };
    assert.equal(report.ok, true);
  });

  test('survives a kill of it, keeps what was acknowledged, and is waited for at a start', async (t) => {
    const box = await makeBox(t);
    const first = await box.start();
    assert.equal((await first.submit('before')).status, 200);
    await docker('kill', server!.container!);
    await assertUnavailable(await first.ask('/v1/tasks'));
    await assertUnavailable(await first.submit('during'));
    await docker('start', server!.container!);
    await until(async () => (await first.submit('during')).ok);
    assert.equal(await storyCount(first.ask), 2);

    await first.stop();
    await docker('kill', server!.container!);
    const starting = box.start();
    await until(async () => box.said.some((line) => line.startsWith('waiting for the task store')));
    await docker('start', server!.container!);
    const second = await starting;
    assert.equal(await storyCount(second.ask), 2);
    // Its files come and go while it works.
    await second.stop();
    await assertSecretNowhere(box);
  });
});

/** The password of the store is in no file of the workspace and in nothing that was said. */
async function assertSecretNowhere(box: { workspace: string; said: readonly string[] }): Promise<void> {
  const { password } = server!.address;
  const secret = password.kind === 'text' ? password.text : assert.fail('the test server has a password');
  assert.deepEqual(
    box.said.filter((line) => line.includes(secret)),
    [],
  );
  let read = 0;
  for (const name of await readdir(box.workspace, { recursive: true })) {
    const file = join(box.workspace, name);
    if (!(await stat(file)).isFile()) continue;
    read += 1;
    assert.ok(!(await readFile(file, 'latin1')).includes(secret), name);
  }
  assert.ok(read > 3);
}
