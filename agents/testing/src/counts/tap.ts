import { addUp, type CountsParser } from './counts.ts';

const LINE = /^(ok|not ok)\b[^\n#]*(?:# *(skip|todo)\b)?/gim;

/** TAP of any producer: top-level lines alone, since a subtest's own line sums it up. */
export const parseTapCounts: CountsParser = (output) => {
  const plan = /^1\.\.(\d+)/m.exec(output);
  if (plan === null && !/^TAP version \d+$/m.test(output)) return null;
  const tally = { passed: 0, failed: 0, skipped: 0 };
  for (const [, state, directive] of output.matchAll(LINE)) {
    if (directive !== undefined) tally.skipped += 1;
    else if ((state as string).toLowerCase() === 'ok') tally.passed += 1;
    else tally.failed += 1;
  }
  if (/^Bail out!/m.test(output)) tally.failed += 1;
  return addUp('tap', [tally]);
};
