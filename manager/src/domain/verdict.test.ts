import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CheckResult, TestResult } from '@dbox/contracts';
import { judge, judgeWithSmoke } from './verdict.ts';

const entry = (given: Partial<TestResult> = {}): TestResult => ({
  run: 'npm test',
  outcome: 'passed',
  exitCode: 0,
  detail: 'as given',
  cause: null,
  counts: { runner: 'node', passed: 2, failed: 0, skipped: 0 },
  durationMs: 1,
  outputHead: '',
  outputTail: '',
  outputCutBytes: 0,
  ...given,
});
const check = (outcome: CheckResult['outcome'], id = 'chk_000000000001'): CheckResult => ({
  id,
  outcome,
  detail: outcome,
  latencyMs: null,
});
const of = (tests: TestResult[], checks: CheckResult[] = [], pendingChecks = 0) =>
  judge({ tests, checks, changedTestFiles: [], pendingChecks });

test('one failure outweighs whatever else was seen', () => {
  const given = of(
    [entry({ outcome: 'could_not_run', cause: 'host' }), entry()],
    [check('failed'), check('passed')],
  );
  assert.equal(given.outcome, 'failed');
});

test('what could not run never passes, however much is green', () => {
  assert.equal(
    of([entry(), entry({ outcome: 'could_not_run', cause: 'host' })], [check('passed')]).outcome,
    'could_not_run',
  );
  assert.equal(of([entry()], [check('could_not_run')]).outcome, 'could_not_run');
});

test('the cause is the host only where nothing else kept anything from running', () => {
  const host = entry({ outcome: 'could_not_run', cause: 'host' });
  const commit = entry({ outcome: 'could_not_run', cause: 'commit' });
  assert.equal(of([host, host]).verdict.cause, 'host');
  assert.equal(of([host, commit]).verdict.cause, 'commit');
});

test('an exit code of 0 behind which nothing stands proves nothing', () => {
  for (const counts of [null, { runner: 'tap', passed: 0, failed: 0, skipped: 3 } as const]) {
    const given = of([entry({ counts })]);
    assert.equal(given.outcome, 'could_not_run');
    assert.equal(given.verdict.cause, 'commit');
  }
  assert.equal(of([]).outcome, 'could_not_run');
});

test('a green check or one counted test is enough', () => {
  assert.equal(of([], [check('passed')]).outcome, 'passed');
  assert.equal(of([entry({ counts: null }), entry()]).outcome, 'passed');
});

test('a task that has only addresses waits for the smoke test of its release', () => {
  assert.equal(of([], [], 1).outcome, 'deferred');
  assert.equal(of([entry({ counts: null })], [], 1).outcome, 'deferred');
  assert.equal(of([entry({ outcome: 'failed' })], [], 1).outcome, 'failed');
});

test('the smoke test replaces what was said of the same check, and fails the whole where it is red', () => {
  const former = of([entry()], [check('passed', 'chk_00000000000a')]).verdict;
  assert.equal(judgeWithSmoke(former, [check('passed')]).checks.length, 2);
  const red = judgeWithSmoke(former, [check('failed', 'chk_00000000000a')]);
  assert.equal(red.outcome, 'failed');
  assert.equal(red.checks.length, 1);
  assert.equal(judgeWithSmoke(null, [check('passed')]).outcome, 'passed');
});

test('changed test files are named in the summary', () => {
  const { verdict } = judge({
    tests: [entry()],
    checks: [],
    changedTestFiles: ['a.test.js'],
    pendingChecks: 0,
  });
  assert.match(verdict.summary, /existing test files changed: a\.test\.js/);
});
