import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IncidentState } from './repair-policy.ts';
import { MAX_RESTARTS, nextStep, ROUNDS_AFTER_ACTION } from './repair-policy.ts';

const state = (given: Partial<IncidentState> = {}): IncidentState => ({
  restarts: 0,
  rolledBack: false,
  repairs: 0,
  roundsSinceAction: ROUNDS_AFTER_ACTION,
  hasEarlierRelease: true,
  cannotRepair: null,
  ...given,
});

test('a new incident is acted upon at once', () => {
  assert.equal(nextStep(state({ roundsSinceAction: 1 })).do, 'restart');
});

test('every action has its time to show before the next', () => {
  const justNow = { roundsSinceAction: ROUNDS_AFTER_ACTION - 1 };
  assert.equal(nextStep(state({ ...justNow, restarts: 1 })).do, 'wait');
  assert.equal(nextStep(state({ ...justNow, rolledBack: true })).do, 'wait');
  assert.equal(nextStep(state({ ...justNow, repairs: 1 })).do, 'wait');
});

test('restarts, then one rollback, then one repair, then a person', () => {
  assert.equal(nextStep(state({ restarts: MAX_RESTARTS })).do, 'rollback');
  assert.equal(nextStep(state({ restarts: MAX_RESTARTS, rolledBack: true })).do, 'repair');
  assert.equal(nextStep(state({ restarts: MAX_RESTARTS, rolledBack: true, repairs: 1 })).do, 'escalate');
});

test('without an earlier release it is repaired, without an engine that can a person is told why', () => {
  assert.equal(nextStep(state({ restarts: MAX_RESTARTS, hasEarlierRelease: false })).do, 'repair');
  assert.deepEqual(
    nextStep(state({ restarts: MAX_RESTARTS, hasEarlierRelease: false, cannotRepair: 'no model' })),
    { do: 'escalate', why: 'no model' },
  );
});
