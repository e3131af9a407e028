import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PruneGate } from './prune-gate.ts';

test('a hold waits for the pruning under way, keeps the next one out, and wakes it afterwards', async () => {
  let opened = 0;
  const gate = new PruneGate(() => {
    opened += 1;
  });
  const steps: string[] = [];
  const { promise: pruned, resolve: endPruning } = Promise.withResolvers<void>();
  const pruning = gate.prune(() => pruned);
  const holding = gate.hold().then((release) => {
    steps.push('held');
    return release;
  });
  await Promise.resolve();
  assert.equal(steps.length, 0);
  endPruning();
  await pruning;
  const release = await holding;
  const second = await gate.hold();
  await gate.prune(async () => void steps.push('pruned'));
  release();
  release();
  assert.equal(opened, 0, 'another backup is still being read');
  second();
  assert.equal(opened, 1);
  await gate.prune(async () => void steps.push('pruned'));
  assert.deepEqual(steps, ['held', 'pruned']);
});

test('a pruning that fails is told to its caller alone', async () => {
  const gate = new PruneGate(() => {});
  await assert.rejects(
    gate.prune(() => Promise.reject(new Error('full'))),
    /full/,
  );
  (await gate.hold())();
});
