import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { skipWithoutEngine } from '../../engine/testing/find-engine.ts';
import type { BuildOutcome } from '../target.ts';
import { openContainerBench } from './testing/container-bench.ts';

const skip = await skipWithoutEngine();

async function benchOf(t: TestContext) {
  const target = (await openContainerBench(t)).open();
  const dir = await mkdtemp(join(tmpdir(), 'build-image-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  let count = 0;
  async function build(project: string, dockerfile: string, more: Readonly<Record<string, string>> = {}) {
    count += 1;
    const tree = join(dir, String(count));
    await mkdir(tree);
    for (const [path, text] of Object.entries({ Dockerfile: dockerfile, ...more })) {
      if (text.startsWith('-> ')) await symlink(text.slice(3), join(tree, path));
      else await writeFile(join(tree, path), text);
    }
    const lines: string[] = [];
    const outcome = await target.build(
      {
        releaseId: `rel_${String(count).padStart(10, '0')}`,
        project,
        environment: 'dev',
        commit: String(count).padStart(40, '0'),
        runPlan: { kind: 'dockerfile', path: 'Dockerfile', port: null, from: 'Dockerfile' },
        image: null,
        settingsVersion: 0,
        tree,
      },
      { signal: t.signal, onLine: (_, line) => void lines.push(line) },
    );
    return { outcome, lines };
  }
  return { build };
}

const told = (outcome: BuildOutcome) => {
  assert.ok(!outcome.ok, 'it was built');
  return { cause: outcome.cause, text: `${outcome.detail}\n${outcome.outputTail}` };
};

test('a Dockerfile that asks for the host is refused by its line before anything is built', {
  skip,
}, async (t) => {
  const { build } = await benchOf(t);
  const { outcome, lines } = await build('one', 'FROM debian:bookworm-slim\nRUN --network=host true\n');
  const { cause, text } = told(outcome);
  assert.equal(cause, 'commit');
  assert.match(text, /Dockerfile:2:1: .*--network=host/);
  assert.deepEqual(lines, []);
  const outside = await build('one', 'x', { 'Dockerfile.2': '' });
  assert.match(told(outside.outcome).text, /no FROM/);
  assert.equal(told((await build('one', '-> /etc/passwd')).outcome).cause, 'commit');
});

test('what a step printed last comes with a build that fails', { skip }, async (t) => {
  const { build } = await benchOf(t);
  const { outcome } = await build(
    'one',
    'FROM debian:bookworm-slim\nRUN seq 1 5000; echo the reason; exit 7\n',
  );
  const { cause, text } = told(outcome);
  assert.equal(cause, 'commit');
  assert.match(text, /the reason/);
  assert.match(text, /exit code: 7/);
});

test('a cache of one project is never mounted into the build of another', { skip }, async (t) => {
  const { build } = await benchOf(t);
  const step = (what: string) =>
    `FROM debian:bookworm-slim\nRUN --mount=type=cache,target=/cache,id=build-image-test ${what}\n`;
  const mark = `mark-${process.pid}`;
  const wrote = await build('one', step(`touch /cache/${mark}`));
  assert.ok(wrote.outcome.ok, JSON.stringify(wrote.outcome));
  const again = await build('one', step(`ls /cache && test -e /cache/${mark}`));
  assert.ok(again.outcome.ok, JSON.stringify(again.outcome));
  const other = await build('two', step(`echo looking && test ! -e /cache/${mark}`));
  assert.ok(other.outcome.ok, JSON.stringify(other.outcome));
});

test('a step that had no network, or asked beside itself, is not the fault of the host', {
  skip,
}, async (t) => {
  const { build } = await benchOf(t);
  for (const step of [
    'RUN --network=none echo getaddrinfo EAI_AGAIN fonts.example.org && exit 1',
    'RUN echo connect ECONNREFUSED 127.0.0.1:5432 && exit 1',
  ]) {
    const { outcome } = await build('one', `FROM debian:bookworm-slim\n${step}\n`);
    assert.equal(told(outcome).cause, 'commit', step);
  }
  const { outcome } = await build(
    'one',
    'FROM debian:bookworm-slim\nRUN echo getaddrinfo EAI_AGAIN && exit 1\n',
  );
  assert.equal(told(outcome).cause, 'host');
});
