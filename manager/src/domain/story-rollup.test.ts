import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TaskStatus } from '@dbox/contracts';
import { rollUpStory } from './story-rollup.ts';

const of = (...tasks: [TaskStatus, boolean?][]) =>
  rollUpStory(
    tasks.map(([status, landed = false], n) => ({ id: `t${n}`, status, landed, reason: `why ${n}` })),
  );

test('a story runs while anything in it can move, also beside what has failed', () => {
  for (const status of ['created', 'assigned', 'in_progress', 'complete', 'verified'] as const) {
    assert.deepEqual(of(['failed'], ['blocked'], [status]), { status: 'running', reason: null });
  }
});

test('failed comes before blocked, and each says which task and why', () => {
  assert.deepEqual(of(['blocked'], ['failed'], ['deployed', true]), {
    status: 'failed',
    reason: 'task t1 failed: why 1',
  });
  assert.deepEqual(of(['deployed', true], ['blocked']), {
    status: 'blocked',
    reason: 'task t1 waits: why 1',
  });
});

test('delivered is when everything has landed, verified where there is nothing to run', () => {
  assert.equal(of(['deployed', true], ['verified', true]).status, 'delivered');
  assert.equal(of(['verified', false]).status, 'running');
});

test('what was rolled back later had been delivered', () => {
  assert.equal(of(['rolled_back', true]).status, 'delivered');
});

test('one cancelled task beside landed ones is no delivery', () => {
  assert.equal(of(['deployed', true], ['cancelled']).status, 'cancelled');
});
