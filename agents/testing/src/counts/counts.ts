import type { TestCounts } from '@dbox/contracts';

/** What one runner's summary says; null where it printed none. Given plain text without colours. */
export type CountsParser = (output: string) => TestCounts | null;

/** One runner may be called several times in a command: what it says adds up. */
export function addUp(runner: TestCounts['runner'], summaries: readonly Tally[]): TestCounts | null {
  if (summaries.length === 0) return null;
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const summary of summaries) {
    sum.passed += summary.passed;
    sum.failed += summary.failed;
    sum.skipped += summary.skipped;
  }
  return { runner, ...sum };
}

export type Tally = Pick<TestCounts, 'passed' | 'failed' | 'skipped'>;

/**
 * Reads pairs such as `2 passed`, with each word put where it belongs. A test that was expected to
 * fail, or is yet to be written, proves nothing and counts as skipped.
 */
export function tallyWords(text: string): Tally {
  const tally = { passed: 0, failed: 0, skipped: 0 };
  for (const [, number, word] of text.matchAll(/(\d+) ([a-z]+)/g)) {
    const kind = WORDS[word as string];
    if (kind !== undefined) tally[kind] += Number(number);
  }
  return tally;
}

const WORDS: Readonly<Record<string, keyof Tally | undefined>> = {
  passed: 'passed',
  xpassed: 'passed',
  failed: 'failed',
  error: 'failed',
  errors: 'failed',
  skipped: 'skipped',
  todo: 'skipped',
  pending: 'skipped',
  xfailed: 'skipped',
};
