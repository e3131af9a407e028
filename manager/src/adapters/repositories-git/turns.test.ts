import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTurns } from './turns.ts';

test('no more than so many run at once, in the order they came, also after a failure', async () => {
  const turns = createTurns(2);
  const started: number[] = [];
  const gates = [0, 1, 2, 3].map(() => Promise.withResolvers<void>());
  const work = gates.map((gate, n) =>
    turns.take(async () => {
      started.push(n);
      await gate.promise;
    }),
  );
  assert.deepEqual(started, [0, 1]);
  gates[1]!.reject(new Error('broken'));
  await assert.rejects(work[1]!, /broken/);
  assert.deepEqual(started, [0, 1, 2]);
  for (const n of [0, 2, 3]) gates[n]!.resolve();
  await Promise.all([work[0], work[2], work[3]]);
  assert.deepEqual(started, [0, 1, 2, 3]);
  assert.equal(turns.isIdle(), true);
});
