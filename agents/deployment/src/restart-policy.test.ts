import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideRestart, type RestartDecision } from './restart-policy.ts';

function exitsAt(...instants: readonly number[]): readonly RestartDecision[] {
  let exitsAtMs: readonly number[] = [];
  return instants.map((atMs) => {
    const decision = decideRestart(exitsAtMs, atMs);
    exitsAtMs = decision.exitsAtMs;
    return decision;
  });
}
const told = (decision: RestartDecision) => (decision.kind === 'restart' ? decision.afterMs : 'give up');

test('pauses grow, and the fifth exit within a minute is the last', () => {
  assert.deepEqual(exitsAt(0, 1_000, 3_000, 9_000, 15_000).map(told), [200, 1_000, 5_000, 5_000, 'give up']);
});

test('an exit once in a while is always cured by a restart at once', () => {
  assert.deepEqual(exitsAt(0, 60_000, 120_000, 180_000, 240_000, 300_000).map(told), Array(6).fill(200));
});
