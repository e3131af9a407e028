import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { countsOf, isWorse, MIN_FAILURES } from './first-traffic.ts';

const counts = fc
  .tuple(fc.integer({ min: 0, max: 50_000 }), fc.integer({ min: 0, max: 50_000 }))
  .map(([failures, good]) => ({ answers: failures + good, failures }));

test('half of the answers bad is seen within some dozens, whether or not the former had any traffic', () => {
  assert.equal(isWorse({ answers: 28, failures: 14 }, { answers: 0, failures: 0 }), true);
  assert.equal(isWorse({ answers: 14, failures: 7 }, { answers: 3_000, failures: 0 }), true);
  assert.equal(isWorse({ answers: 14, failures: 7 }, { answers: 0, failures: 0 }), false);
});

test('a release of which every answer is bad is seen after a handful', () => {
  assert.equal(isWorse({ answers: 5, failures: 5 }, { answers: 0, failures: 0 }), true);
  assert.equal(isWorse({ answers: 4, failures: 4 }, { answers: 9_000, failures: 0 }), false);
});

test('a release as bad as the one before is not worse', () => {
  assert.equal(isWorse({ answers: 100, failures: 50 }, { answers: 1_000, failures: 500 }), false);
  assert.equal(isWorse({ answers: 10_000, failures: 5_400 }, { answers: 10_000, failures: 5_000 }), false);
});

test('answers that are no failures never make a release worse, and more failures never better', () => {
  fc.assert(
    fc.property(counts, counts, fc.integer({ min: 1, max: 1_000 }), (fresh, former, more) => {
      const better = { answers: fresh.answers + more, failures: fresh.failures };
      const worse = { answers: fresh.answers + more, failures: fresh.failures + more };
      if (!isWorse(fresh, former)) assert.equal(isWorse(better, former), false);
      if (isWorse(fresh, former)) assert.equal(isWorse(worse, former), true);
    }),
  );
});

test('it takes five failures and five points, whatever the counts', () => {
  fc.assert(
    fc.property(counts, counts, (fresh, former) => {
      if (!isWorse(fresh, former)) return;
      assert.ok(fresh.failures >= MIN_FAILURES);
      const share = former.answers === 0 ? 0 : former.failures / former.answers;
      assert.ok(fresh.failures / fresh.answers >= share + 0.05 || former.answers < 20);
    }),
  );
});

test('of releases that are alike hardly any is taken for worse, though it is looked at again and again', () => {
  const random = seeded(1);
  for (const share of [0.001, 0.02, 0.1, 0.3]) {
    let wrong = 0;
    for (let n = 0; n < 400; n++) {
      const former = sample(random, share, 20 + Math.floor(random() * 400));
      let fresh = { answers: 0, failures: 0 };
      for (let look = 0; look < 150; look++) {
        const { answers, failures } = sample(random, share, 5);
        fresh = { answers: fresh.answers + answers, failures: fresh.failures + failures };
        if (!isWorse(fresh, former)) continue;
        wrong += 1;
        break;
      }
    }
    assert.ok(wrong <= 2, `${wrong} of 400 at ${share}`);
  }
});

test('failures are answers of 5xx and answers that never came', () => {
  assert.deepEqual(countsOf({ '2xx': 4, '4xx': 3, '5xx': 2, error: 1 }), { answers: 10, failures: 3 });
});

function sample(random: () => number, share: number, answers: number) {
  let failures = 0;
  for (let n = 0; n < answers; n++) if (random() < share) failures += 1;
  return { answers, failures };
}

/** Park and Miller's generator: the same cases in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
