import assert from 'node:assert/strict';
import { test } from 'node:test';
import { afterSuccess, decideRestart, NO_FAILURES, type RestartDecision } from './restart-policy.ts';

type Cause = Parameters<typeof decideRestart>[1];

function failuresAt(cause: Cause, ...instants: readonly number[]): readonly RestartDecision[] {
  let failures = NO_FAILURES;
  return instants.map((atMs) => {
    const decision = decideRestart(failures, cause, atMs);
    failures = decision.failures;
    return decision;
  });
}
const told = (decision: RestartDecision) => (decision.kind === 'restart' ? decision.afterMs : 'give up');
const failuresAfter = (decisions: readonly RestartDecision[]) => decisions.at(-1)!.failures;

test('pauses grow, and the fifth exit within a minute is the last', () => {
  const decisions = failuresAt('commit', 0, 1_000, 3_000, 9_000, 15_000);
  assert.deepEqual(decisions.map(told), [200, 1_000, 5_000, 5_000, 'give up']);
  assert.ok(decisions.every(({ isTold }) => isTold));
});

test('an exit once in a while is always cured by a restart at once', () => {
  assert.deepEqual(
    failuresAt('commit', 0, 60_000, 120_000, 180_000, 240_000, 300_000).map(told),
    Array(6).fill(200),
  );
});

test('what the host cannot do is tried on without end, less and less often', () => {
  assert.deepEqual(
    failuresAt('host', 0, 200, 1_200, 6_200, 21_200, 51_200, 81_200).map(told),
    [200, 1_000, 5_000, 15_000, 30_000, 30_000, 30_000],
  );
});

test('of a host that cannot, the first failure is told and then one a minute', () => {
  const decisions = failuresAt('host', 0, 200, 1_200, 6_200, 21_200, 51_200, 81_200, 111_200, 141_200);
  assert.deepEqual(
    decisions.map(({ isTold }) => isTold),
    [true, false, false, false, false, false, true, false, true],
  );
});

test('failures of the host bring a commit no nearer to its last exit, and no further from it', () => {
  const exits = failuresAfter(failuresAt('commit', 0, 1_000, 3_000, 9_000));
  const { failures } = decideRestart(exits, 'host', 10_000);
  assert.equal(told(decideRestart(failures, 'commit', 15_000)), 'give up');
  const away = failuresAfter(failuresAt('host', 0, 200, 1_200, 6_200, 21_200));
  assert.equal(told(decideRestart(away, 'commit', 22_000)), 200);
});

test('a success begins the pauses anew; one that does not last tells no more often', () => {
  const before = afterSuccess(failuresAfter(failuresAt('host', 0, 200, 1_200)));
  const again = decideRestart(before, 'host', 10_000);
  assert.deepEqual([told(again), again.isTold], [200, false]);
  const exits = afterSuccess(failuresAfter(failuresAt('commit', 0, 1_000, 3_000, 9_000)));
  assert.equal(told(decideRestart(exits, 'commit', 15_000)), 'give up');
});
