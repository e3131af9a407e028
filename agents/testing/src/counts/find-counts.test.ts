import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findCounts } from './find-counts.ts';

type Expected = [runner: string, passed: number, failed: number, skipped: number];

/** Printed by the runners themselves: Node 20.20, 22.23 and 24.21, Vitest 4.1, Jest 30, pytest 9.0, tape 5. */
function recorded(name: string): string {
  return readFileSync(join(import.meta.dirname, 'recorded', `${name}.txt`), 'utf8');
}
function counted(output: string): Expected | null {
  const counts = findCounts(output);
  return counts === null ? null : [counts.runner, counts.passed, counts.failed, counts.skipped];
}

const RECORDED: Record<string, Expected> = {
  'vitest-mixed': ['vitest', 2, 1, 2],
  'vitest-dot': ['vitest', 4, 1, 2],
  'vitest-good': ['vitest', 2, 0, 0],
  'vitest-skipped': ['vitest', 0, 0, 1],
  'vitest-empty': ['vitest', 0, 0, 0],
  'vitest-nosuch': ['vitest', 0, 0, 0],
  'vitest-pass-none': ['vitest', 0, 0, 0],
  'jest-mixed': ['jest', 1, 1, 2],
  'jest-good': ['jest', 2, 0, 0],
  'jest-skipped': ['jest', 0, 0, 1],
  'jest-empty': ['jest', 0, 0, 0],
  'jest-nosuch': ['jest', 0, 0, 0],
  'jest-pass-none': ['jest', 0, 0, 0],
  'pytest-mixed': ['pytest', 1, 2, 2],
  'pytest-mixed-q': ['pytest', 1, 2, 2],
  'pytest-good': ['pytest', 1, 0, 0],
  'pytest-good-q': ['pytest', 1, 0, 0],
  'pytest-skipped': ['pytest', 0, 0, 1],
  'pytest-skipped-q': ['pytest', 0, 0, 1],
  'pytest-empty': ['pytest', 0, 0, 0],
  'pytest-empty-q': ['pytest', 0, 0, 0],
  'pytest-nosuch': ['pytest', 0, 0, 0],
  'pytest-broken': ['pytest', 0, 1, 0],
  'tape-mixed': ['tap', 1, 1, 0],
  'tape-good': ['tap', 1, 0, 0],
};
for (const version of [20, 22, 24]) {
  for (const reporter of ['spec', 'tap']) {
    RECORDED[`node-${version}-mixed-${reporter}`] = ['node', 3, 1, 2];
    RECORDED[`node-${version}-good-${reporter}`] = ['node', 1, 0, 0];
    RECORDED[`node-${version}-skipped-${reporter}`] = ['node', 0, 0, 1];
    RECORDED[`node-${version}-empty-${reporter}`] = ['node', 0, 0, 0];
  }
  RECORDED[`node-${version}-none`] = ['node', 0, 0, 0];
}

test('the counts of every recorded output are read as the runner meant them', () => {
  for (const [name, expected] of Object.entries(RECORDED)) {
    assert.deepEqual(counted(recorded(name)), expected, name);
  }
});

test('go counts top-level tests with -v and packages without', () => {
  const verbose = [
    '=== RUN   TestAdd',
    '--- PASS: TestAdd (0.00s)',
    '=== RUN   TestTable',
    '=== RUN   TestTable/one',
    '    --- PASS: TestTable/one (0.00s)',
    '--- FAIL: TestTable (0.00s)',
    '=== RUN   TestLater',
    '    a_test.go:9: not now',
    '--- SKIP: TestLater (0.00s)',
    'FAIL',
    'FAIL\texample.com/a\t0.004s',
    'FAIL',
  ].join('\n');
  assert.deepEqual(counted(verbose), ['go', 1, 1, 1]);
  assert.deepEqual(counted('ok  \texample.com/a\t0.004s\nok  \texample.com/b\t(cached)\n'), ['go', 2, 0, 0]);
  assert.deepEqual(counted('?   \texample.com/a\t[no test files]\n'), ['go', 0, 0, 0]);
  assert.deepEqual(counted('ok  \texample.com/a\t0.002s [no tests to run]\n'), ['go', 0, 0, 0]);
  assert.deepEqual(counted('FAIL\texample.com/a [build failed]\nFAIL\n'), ['go', 0, 1, 0]);
  assert.deepEqual(
    counted('--- FAIL: TestA (0.00s)\n--- FAIL: TestB (0.00s)\nFAIL\nFAIL\texample.com/a\t0.1s\n'),
    ['go', 0, 2, 0],
  );
});

test('TAP of any producer is counted by its top-level lines', () => {
  const output = [
    'TAP version 14',
    '    ok 1 - inner',
    '    1..1',
    'ok 1 - outer',
    'not ok 2 - broken',
    'ok 3 - later # SKIP no database',
    'not ok 4 - some day # TODO',
    '1..4',
  ].join('\n');
  assert.deepEqual(counted(output), ['tap', 1, 1, 2]);
  assert.deepEqual(counted('1..0 # nothing here\n'), ['tap', 0, 0, 0]);
  assert.deepEqual(counted('TAP version 13\nBail out! no server\n'), ['tap', 0, 1, 0]);
});

test('several summaries of one command add up, so a failure in an earlier one is not lost', () => {
  const twice = recorded('node-24-mixed-spec') + recorded('node-24-good-spec');
  assert.deepEqual(counted(twice), ['node', 4, 1, 2]);
  const mixed = recorded('node-24-good-spec') + recorded('pytest-mixed');
  assert.deepEqual(counted(mixed), ['pytest', 2, 2, 2]);
});

test('prose that speaks of tests is no summary', () => {
  for (const output of [
    '',
    'all 12 tests passed\n',
    'Tests: 3 total\n',
    '# pass 5\n',
    'ok\n',
    '5 passed\n',
  ]) {
    assert.equal(counted(output), null, output);
  }
});

test('hostile output is read in time that grows no faster than it does', () => {
  // 48 KB, what an entry may keep: quadratic matching would take minutes here and hang the run.
  for (const piece of ['ok ', '1 passed, ', 'ℹ tests 1\n', '=', ' ', 'Tests  ', '\n \n']) {
    findCounts(piece.repeat(48_000 / piece.length));
  }
});
