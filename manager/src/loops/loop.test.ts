import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../ports/clock.ts';
import { Loop } from './loop.ts';

/** Timers that fire only when told, and ticks that end only when told. */
function setUp() {
  const timers = new Set<() => void>();
  const clock: Clock = {
    nowMs: () => 0,
    after: (_, callback) => {
      timers.add(callback);
      return () => timers.delete(callback);
    },
  };
  const ticks: { end: () => void; fail: (error: Error) => void }[] = [];
  const errors: unknown[] = [];
  const loop = new Loop({
    clock,
    intervalMs: 1,
    onError: (error) => errors.push(error),
    tick: () => new Promise<void>((end, fail) => ticks.push({ end, fail })),
  });
  return { loop, timers, ticks, errors };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('it ticks at its start, and again when its time has come', async () => {
  const { loop, timers, ticks } = setUp();
  loop.start();
  loop.start();
  assert.equal(ticks.length, 1);
  ticks[0]!.end();
  await turn();
  assert.equal(timers.size, 1);
  for (const fire of timers) fire();
  assert.equal(ticks.length, 2);
  ticks[1]!.end();
  await loop.stop();
});

test('however often it is woken during a tick, it ticks once more after it and never twice at once', async () => {
  const { loop, timers, ticks } = setUp();
  loop.start();
  for (let n = 0; n < 5; n++) loop.wake();
  assert.equal(ticks.length, 1);
  ticks[0]!.end();
  await turn();
  assert.equal(ticks.length, 2);
  ticks[1]!.end();
  await turn();
  assert.equal(ticks.length, 2);
  assert.equal(timers.size, 1);
  await loop.stop();
});

test('a tick that throws is told of, and the next one comes', async () => {
  const { loop, timers, ticks, errors } = setUp();
  loop.start();
  ticks[0]!.fail(new Error('broken'));
  await turn();
  assert.equal(errors.length, 1);
  assert.equal(timers.size, 1);
  await loop.stop();
});

test('stop waits for the tick under way, may be called twice, and leaves no timer', async () => {
  const { loop, timers, ticks } = setUp();
  loop.start();
  let stopped = false;
  const stopping = Promise.all([loop.stop(), loop.stop()]).then(() => {
    stopped = true;
  });
  loop.wake();
  await turn();
  assert.equal(stopped, false);
  ticks[0]!.end();
  await stopping;
  loop.wake();
  assert.equal(ticks.length, 1);
  assert.equal(timers.size, 0);
});
