import type { CheckResult, Outcome, TestResult, Verdict } from '@dbox/contracts';

export interface Evidence {
  readonly tests: readonly TestResult[];
  readonly checks: readonly CheckResult[];
  readonly changedTestFiles: readonly string[];
  /** Address checks that the smoke test of the release has still to look at. */
  readonly pendingChecks: number;
}

/** `deferred`: nothing failed, nothing counts yet, and the smoke test will say. */
export interface Judgement {
  readonly outcome: Outcome | 'deferred';
  readonly verdict: Verdict;
}

/**
 * Any failed → failed; else any could_not_run → could_not_run; passed only on a green check or a
 * counted test. It fails closed: an exit code of 0 that nothing stands behind proves nothing.
 */
export function judge(evidence: Evidence): Judgement {
  const { tests, checks } = evidence;
  const of = (outcome: Outcome, cause: Verdict['cause'], summary: string): Verdict => ({
    outcome,
    cause,
    summary: nameChangedTests(summary, evidence.changedTestFiles),
    checks: [...checks],
    tests: [...tests],
    changedTestFiles: [...evidence.changedTestFiles],
  });

  const failed = firstWith([...tests, ...checks], 'failed');
  if (failed) return settled(of('failed', null, failed.detail));

  const unrun = firstWith([...tests, ...checks], 'could_not_run');
  if (unrun) {
    // Where one entry's cause is the commit, rework can mend it; only a pure host problem is repeated.
    const unrunTests = tests.filter((test) => test.outcome === 'could_not_run');
    const cause =
      unrunTests.length > 0 && unrunTests.every((test) => test.cause === 'host') ? 'host' : 'commit';
    return settled(of('could_not_run', cause, unrun.detail));
  }

  const counted = tests.reduce((sum, test) => sum + (test.counts?.passed ?? 0), 0);
  const green = checks.filter((check) => check.outcome === 'passed').length;
  if (counted > 0 || green > 0) {
    return settled(of('passed', null, `${count(counted, 'test')} and ${count(green, 'check')} passed`));
  }
  const nothing =
    tests.length > 0
      ? 'the tests ended with exit code 0 but no test was counted and no check was green'
      : 'nothing was checked: the task has neither tests nor acceptance that could be run';
  const verdict = of('could_not_run', 'commit', nothing);
  return evidence.pendingChecks > 0 ? { outcome: 'deferred', verdict } : settled(verdict);
}

/** The verdict after the release's smoke test has looked at the task's address checks. */
export function judgeWithSmoke(former: Verdict | null, smoke: readonly CheckResult[]): Verdict {
  const seen = new Set(smoke.map((check) => check.id));
  return judge({
    tests: former?.tests ?? [],
    checks: [...(former?.checks ?? []).filter((check) => !seen.has(check.id)), ...smoke],
    changedTestFiles: former?.changedTestFiles ?? [],
    pendingChecks: 0,
  }).verdict;
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

function settled(verdict: Verdict): Judgement {
  return { outcome: verdict.outcome, verdict };
}

function firstWith<T extends { readonly outcome: Outcome }>(
  all: readonly T[],
  outcome: Outcome,
): T | undefined {
  return all.find((one) => one.outcome === outcome);
}

function nameChangedTests(summary: string, files: readonly string[]): string {
  return files.length === 0 ? summary : `${summary} (existing test files changed: ${files.join(', ')})`;
}
