import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FIRST_TRAFFIC_MS } from '@dbox/contracts';
import { createTrafficCounts, LATENCY_BOUNDS_MS, type Urgency } from './traffic-counts.ts';

function still() {
  const clock = { nowMs: 0, monotonicMs: () => clock.nowMs };
  return clock;
}

test('the histogram is cumulative, and slower than its last bound only shows in the sum', () => {
  const counts = createTrafficCounts({ ...still(), onChange: () => undefined });
  for (const latencyMs of [1, 7, 7, 60_000]) counts.countAnswer('rel_a', 200, latencyMs);
  const [stats] = counts.takeChanged();
  assert.deepEqual(
    stats!.latencyBuckets.slice(0, 3).map((bucket) => bucket.count),
    [1, 3, 3],
  );
  assert.equal(stats!.latencyBuckets.length, LATENCY_BOUNDS_MS.length);
  assert.equal(stats!.latencyBuckets.at(-1)!.count, 3);
  assert.equal(stats!.latencySumMs, 60_015);
});

test('only what changed is taken, totals go on, and what could not be sent is taken again', () => {
  let changeCount = 0;
  const counts = createTrafficCounts({
    ...still(),
    onChange: () => {
      changeCount += 1;
    },
  });
  counts.countAnswer('rel_a', 204, 1);
  counts.countError('rel_a');
  assert.equal(changeCount, 1);
  assert.deepEqual(counts.takeChanged()[0]!.statuses, { '2xx': 1, error: 1 });
  assert.deepEqual(counts.takeChanged(), []);
  counts.countAnswer('rel_a', 200, 1);
  assert.deepEqual(counts.takeChanged()[0]!.statuses, { '2xx': 2, error: 1 });
  counts.putBack(['rel_a']);
  assert.equal(counts.takeChanged().length, 1);
});

test('a failure of a release that was just switched to is urgent, one of any other is not', () => {
  const clock = still();
  const urgencies: Urgency[] = [];
  const counts = createTrafficCounts({ ...clock, onChange: (urgency) => urgencies.push(urgency) });
  const answer = (status: number) => {
    counts.countAnswer('rel_a', status, 1);
    counts.countError('rel_a');
    counts.takeChanged();
    return urgencies.splice(0);
  };
  assert.deepEqual(answer(500), ['later']);
  counts.beginServing('rel_a');
  assert.deepEqual(answer(200), ['soon', 'now']);
  assert.deepEqual(answer(503), ['now', 'now']);
  clock.nowMs = FIRST_TRAFFIC_MS;
  assert.deepEqual(answer(500), ['later']);
});

test('how long a release has served is told only where a switch gave it the traffic', () => {
  const clock = still();
  const counts = createTrafficCounts({ ...clock, onChange: () => undefined });
  counts.countAnswer('rel_a', 200, 1);
  counts.beginServing('rel_b');
  counts.countAnswer('rel_b', 200, 1);
  clock.nowMs = 40;
  assert.deepEqual(
    counts.takeChanged().map(({ releaseId, servingForMs }) => [releaseId, servingForMs]),
    [
      ['rel_a', null],
      ['rel_b', 40],
    ],
  );
});

test('the end of the last open request or WebSocket is told where it was told that there are some', () => {
  let changeCount = 0;
  const counts = createTrafficCounts({
    ...still(),
    onChange: () => {
      changeCount += 1;
    },
  });
  const ends = [counts.open('rel_a'), counts.open('rel_a')];
  assert.equal(changeCount, 0, 'each is told of with its answer');
  counts.countAnswer('rel_a', 101, null);
  assert.equal(counts.takeChanged()[0]!.openCount, 2);
  ends[0]!();
  ends[0]!();
  assert.deepEqual(counts.takeChanged(), []);
  ends[1]!();
  assert.equal(counts.takeChanged()[0]!.openCount, 0);
  assert.equal(changeCount, 2);
});
