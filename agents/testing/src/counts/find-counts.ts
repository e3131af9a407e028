import type { TestCounts } from '@dbox/contracts';
import { addUp, type CountsParser } from './counts.ts';
import { parseGoCounts } from './go.ts';
import { parseJestCounts } from './jest.ts';
import { parseNodeCounts } from './node.ts';
import { parsePytestCounts } from './pytest.ts';
import { parseTapCounts } from './tap.ts';
import { parseVitestCounts } from './vitest.ts';

/** Those whose summary is their own; TAP, which several print, is asked where none of them spoke. */
const PARSERS: readonly CountsParser[] = [
  parseNodeCounts,
  parseVitestCounts,
  parseJestCounts,
  parsePytestCounts,
  parseGoCounts,
];

/**
 * The counts of all runners that printed a summary, added up under the one that ran most. A failure
 * that any of them counted stays one.
 */
export function findCounts(output: string): TestCounts | null {
  const found = PARSERS.map((parse) => parse(output)).filter((counts) => counts !== null);
  if (found.length === 0) return parseTapCounts(output);
  const main = found.reduce((most, counts) => (sizeOf(counts) > sizeOf(most) ? counts : most));
  return addUp(main.runner, found);
}

function sizeOf(counts: TestCounts): number {
  return counts.passed + counts.failed + counts.skipped;
}
