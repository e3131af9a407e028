import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTrafficCounts, LATENCY_BOUNDS_MS } from './traffic-counts.ts';

test('the histogram is cumulative, and slower than its last bound only shows in the sum', () => {
  const counts = createTrafficCounts(() => undefined);
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
  const counts = createTrafficCounts(() => {
    changeCount += 1;
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
