import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { SettingList } from '@dbox/contracts';
import { ProblemError } from '@dbox/contracts';
import { EXIT } from './exit-codes.ts';
import type { Handlers } from './testing/fake-manager.ts';
import { HANG_UP, startFakeManager } from './testing/fake-manager.ts';
import { makeWorkspace, runMain, startMain } from './testing/run-main.ts';

const LIST: SettingList = {
  version: 2,
  live: 2,
  pending: false,
  refused: null,
  settings: [{ key: 'API_KEY', changedAt: '2026-01-02T03:04:05.678Z' }],
};
const REFUSED = { version: 3, releaseId: 'rel_0123456789', reason: 'smoking: status 500' };
const RELEASING = { version: 3, effect: 'releasing', releaseId: 'rel_0123456789' } as const;

async function setUp(t: TestContext, handlers: Handlers) {
  const manager = await startFakeManager(handlers);
  const space = await makeWorkspace();
  await space.announce({ url: manager.url });
  t.after(async () => {
    await manager.close();
    await space.remove();
  });
  const bodies = () =>
    manager.requests
      .filter((one) => one.operation === 'setSetting')
      .map((one) => JSON.parse(String(one.body)));
  return { manager, bodies, env: space.env };
}

test('env set takes the value from standard input, without one last newline, and waits until it is live', async (t) => {
  let list: SettingList = { ...LIST, version: 3, pending: true };
  const { manager, bodies, env } = await setUp(t, {
    setSetting: () => RELEASING,
    listSettings: () => list,
  });
  const running = startMain(['env', 'set', 'blog', 'API_KEY'], { env, input: ' two\nlines \n\n' });
  await manager.seen('listSettings');
  list = { ...LIST, version: 3, live: 3 };
  const { exitCode, stdout, stderr } = await running.ended;
  assert.equal(exitCode, EXIT.ok);
  assert.deepEqual(bodies(), [{ value: ' two\nlines \n' }]);
  assert.equal(stdout, '3\n');
  assert.match(stderr, /blog\/dev runs with it/);
  assert.doesNotMatch(stdout + stderr, /lines/);
  const [asked] = manager.requests;
  assert.deepEqual(asked?.params, { project: 'blog', environment: 'dev', key: 'API_KEY' });
});

test('env set ends with 1 and the reason where its release is refused', async (t) => {
  const { env } = await setUp(t, {
    setSetting: () => RELEASING,
    listSettings: () => ({ ...LIST, version: 3, refused: REFUSED }),
  });
  const { exitCode, stdout, stderr } = await runMain(
    ['env', 'set', 'blog', 'API_KEY', '--environment', 'production', '--json'],
    { env, input: 'secret' },
  );
  assert.equal(exitCode, EXIT.failed);
  const answer = JSON.parse(stdout);
  assert.deepEqual([answer.outcome, answer.version], ['refused', 3]);
  assert.match(answer.reason, /status 500/);
  assert.match(stderr, /not live: smoking: status 500 .*\n.*blog\/production serves on/);
});

test('env set follows over a box that goes away for a moment', async (t) => {
  let looks = 0;
  const { env } = await setUp(t, {
    setSetting: () => ({ ...RELEASING, effect: 'waiting', releaseId: null }),
    listSettings: () => (++looks === 1 ? HANG_UP : { ...LIST, version: 4, live: 4 }),
  });
  const { exitCode } = await runMain(['env', 'set', 'blog', 'A'], { env, input: 'x' });
  assert.deepEqual([exitCode, looks], [EXIT.ok, 2]);
});

test('with --no-follow, or where nothing is live, env set ends at once', async (t) => {
  const { manager, env } = await setUp(t, { setSetting: () => RELEASING });
  const now = await runMain(['env', 'set', 'blog', 'A', '--no-follow', '--json'], { env, input: 'x' });
  assert.deepEqual(JSON.parse(now.stdout), { ...RELEASING, outcome: 'under_way', reason: null });
  manager.handlers.setSetting = () => ({ version: 1, effect: 'next_release', releaseId: null });
  const later = await runMain(['env', 'set', 'blog', 'A'], { env, input: 'x' });
  assert.equal(later.exitCode, EXIT.ok);
  assert.match(later.stderr, /next release/);
});

test('an empty value and one that is no text are refused before anything is sent', async (t) => {
  const { manager, bodies, env } = await setUp(t, {
    setSetting: () => ({ version: 1, effect: 'live', releaseId: null }),
  });
  const empty = await runMain(['env', 'set', 'blog', 'A'], { env, input: '\n' });
  assert.equal(empty.exitCode, EXIT.usage);
  assert.match(empty.stderr, /--allow-empty/);
  assert.equal(manager.requests.length, 0);
  assert.equal((await runMain(['env', 'set', 'blog', 'A', '--allow-empty'], { env })).exitCode, EXIT.ok);
  assert.deepEqual(bodies(), [{ value: '' }]);
});

test('env list names the settings and what became of the newest version', async (t) => {
  const { manager, env } = await setUp(t, { listSettings: () => LIST });
  assert.match((await runMain(['env', 'list', 'blog'], { env })).stdout, /KEY +CHANGED\nAPI_KEY/);
  assert.deepEqual(JSON.parse((await runMain(['env', 'list', 'blog', '--json'], { env })).stdout), LIST);
  manager.handlers.listSettings = () => ({ ...LIST, version: 3, refused: REFUSED });
  assert.match(
    (await runMain(['env', 'list', 'blog'], { env })).stderr,
    /version 2 is live.*\nVersion 3 was refused/,
  );
});

test('env unset takes a setting away, and says what there is where it is not there', async (t) => {
  const { manager, env } = await setUp(t, {
    removeSetting: () => RELEASING,
    listSettings: () => ({ ...LIST, version: 3, live: 3, settings: [] }),
  });
  assert.equal((await runMain(['env', 'unset', 'blog', 'API_KEY'], { env })).exitCode, EXIT.ok);
  manager.handlers.removeSetting = () => {
    throw new ProblemError('not_found', 'blog/dev has no setting B; there are: API_KEY');
  };
  const missing = await runMain(['env', 'unset', 'blog', 'B'], { env });
  assert.equal(missing.exitCode, EXIT.failed);
  assert.match(missing.stderr, /there are: API_KEY/);
});
