import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '@dbox/agent-sdk';
import type { Client } from '@dbox/contracts';
import { createReleaseOutput } from './release-output.ts';

/** Takes batches in once it is let. */
function fakeClient() {
  const batches: string[][] = [];
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const client = {
    async call(_operation: string, { rawBody }: { rawBody: string }) {
      await opened;
      batches.push(
        rawBody
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line).text),
      );
      return null;
    },
  } as unknown as Client;
  return { client, batches, open };
}

const instant = { ...systemClock, sleep: () => Promise.resolve() };

test('lines go out in order and once', async () => {
  const { client, batches, open } = fakeClient();
  const output = createReleaseOutput({ client, clock: instant, releaseId: 'rel_0000000001' });
  open();
  for (let n = 0; n < 10; n += 1) output.push('stdout', `line ${n}`);
  await output.flush();
  output.push('stderr', 'last');
  await output.flush();
  assert.deepEqual(batches.flat(), [...Array.from({ length: 10 }, (_, n) => `line ${n}`), 'last']);
});

test('while the manager is away memory is bounded, the newest lines stay, and the gap is marked', async () => {
  const { client, batches, open } = fakeClient();
  const output = createReleaseOutput({ client, clock: instant, releaseId: 'rel_0000000001' });
  for (let n = 0; n < 10_000; n += 1) output.push('stdout', `${n} ${'x'.repeat(500)}`);
  open();
  await output.flush();
  const lines = batches.flat();
  assert.ok(lines.join('').length < 2 * 1024 * 1024, 'more than was to be kept');
  assert.ok(lines.some((line) => /^… \d+ lines were left out$/.test(line)));
  assert.match(lines.at(-1)!, /^9999 /);
});

test('what a former process printed is no evidence against the next', () => {
  const { client } = fakeClient();
  const output = createReleaseOutput({ client, clock: instant, releaseId: 'rel_0000000001' });
  output.push('stdout', 'panic');
  output.beginProcess();
  output.push('stdout', 'fine');
  assert.deepEqual(output.lines(), ['fine']);
  assert.equal(output.tail(), 'fine');
  output.close();
});

test('what is held back is told once it is known what must not be', async () => {
  const { client, batches, open } = fakeClient();
  const output = createReleaseOutput({ client, clock: instant, releaseId: 'rel_0000000001' });
  open();
  output.holdBack();
  output.push('stdout', 'the key is canary-1');
  await output.flush();
  assert.deepEqual([batches.flat(), output.lines()], [[], []]);
  output.hide({ KEY: 'canary-1' });
  output.push('stdout', 'again canary-1');
  await output.flush();
  assert.deepEqual(batches.flat(), ['the key is [KEY]', 'again [KEY]']);
  assert.equal(output.tail(), 'the key is [KEY]\nagain [KEY]');
});

test('what is held back is bounded, and the gap is marked', async () => {
  const { client, batches, open } = fakeClient();
  const output = createReleaseOutput({ client, clock: instant, releaseId: 'rel_0000000001' });
  open();
  output.holdBack();
  for (let n = 0; n < 1_000; n += 1) output.push('stdout', `${n} ${'x'.repeat(8_000)}`);
  output.hide({});
  await output.flush();
  const lines = batches.flat();
  assert.match(lines[0]!, /lines were left out/);
  assert.ok(lines.join('').length <= 1024 * 1024);
  assert.match(lines.at(-1)!, /^999 /);
});

test('where it can never be known nothing is told but why', async () => {
  const { client, batches, open } = fakeClient();
  const output = createReleaseOutput({ client, clock: instant, releaseId: 'rel_0000000001' });
  open();
  output.push('stdout', 'before');
  output.withhold('the key is lost');
  output.push('stdout', 'canary-1');
  await output.flush();
  assert.deepEqual(batches.flat(), ['before', 'what this release prints is not shown: the key is lost']);
});
