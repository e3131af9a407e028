import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from './clock.ts';
import { type Excess, findExcess, type Usage } from './usage.ts';
import { EAGER_FOR_MS, watchUsage } from './usage-watch.ts';

const MB = 1024 * 1024;
const LIMITS = { memoryMb: 100, processes: 10 };
const QUIET: Usage = { processes: 1, threads: 1, memoryBytes: MB };

test('a command is over its limits by processes, by threads, and by memory that is really its own', () => {
  const never = () => assert.fail('nothing to confirm');
  assert.equal(findExcess(QUIET, LIMITS, never), null);
  assert.equal(findExcess({ ...QUIET, processes: 11 }, LIMITS, never), 'too_many_processes');
  assert.equal(findExcess({ ...QUIET, threads: 5_000 }, LIMITS, never), 'too_many_processes');
  const large = { ...QUIET, memoryBytes: 101 * MB };
  assert.equal(
    findExcess(large, LIMITS, () => 102 * MB),
    'out_of_memory',
  );
  assert.equal(
    findExcess(large, LIMITS, () => 60 * MB),
    null,
  );
  assert.equal(
    findExcess(large, LIMITS, () => null),
    'out_of_memory',
  );
});

function openWatch(read: () => Usage | null) {
  let nowMs = 0;
  let next: { atMs: number; call: () => void } | null = null;
  const delays: number[] = [];
  const excesses: Excess[] = [];
  const clock: Clock = {
    nowMs: () => nowMs,
    after(delayMs, call) {
      delays.push(delayMs);
      next = { atMs: nowMs + delayMs, call };
      return () => {
        next = null;
      };
    },
  };
  const stop = watchUsage({
    clock,
    limits: LIMITS,
    eagerlyMs: 50,
    calmlyMs: 250,
    read,
    readExactMemoryBytes: () => null,
    onExcess: (excess) => excesses.push(excess),
  });
  const step = () => {
    const due = next;
    next = null;
    if (due === null) return false;
    nowMs = due.atMs;
    due.call();
    return true;
  };
  return { delays, excesses, step, stop, nowMs: () => nowMs };
}

test('a quiet command is watched less often once it is no longer young, a busy one as often as before', () => {
  let usage = QUIET;
  const watch = openWatch(() => usage);
  while (watch.nowMs() < EAGER_FOR_MS) watch.step();
  assert.equal(watch.delays.at(-2), 50);
  assert.equal(watch.delays.at(-1), 250);
  usage = { ...QUIET, processes: 5 };
  watch.step();
  assert.equal(watch.delays.at(-1), 50);
});

test('an excess is told once and ends the watch; stopping ends it too', () => {
  const watch = openWatch(() => ({ ...QUIET, processes: 99 }));
  watch.step();
  assert.equal(watch.step(), false);
  assert.deepEqual(watch.excesses, ['too_many_processes']);
  const stopped = openWatch(() => QUIET);
  stopped.step();
  stopped.stop();
  assert.equal(stopped.step(), false);
});
