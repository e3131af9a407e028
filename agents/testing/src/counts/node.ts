import { addUp, type CountsParser } from './counts.ts';

/** The end of the reporters `spec` (ℹ) and `tap` (#), alike from Node 20 to 24. */
const SUMMARY =
  /^(?:ℹ|#) tests \d+\n(?:ℹ|#) suites \d+\n(?:ℹ|#) pass (\d+)\n(?:ℹ|#) fail (\d+)\n(?:ℹ|#) cancelled (\d+)\n(?:ℹ|#) skipped (\d+)\n(?:ℹ|#) todo (\d+)$/gm;

/**
 * Under `--test` a file without any test counts as one passed test by the file's name. It is taken
 * off: an empty test file proves nothing.
 */
const FILE_AS_TEST = /^(?:✔ |ok \d+ - )\S*\.[cm]?[jt]sx?(?: \([\d.]+ms\))?$/gm;

export const parseNodeCounts: CountsParser = (output) => {
  const found = addUp(
    'node',
    [...output.matchAll(SUMMARY)].map(([, pass, fail, cancelled, skipped, todo]) => ({
      passed: Number(pass),
      failed: Number(fail) + Number(cancelled),
      skipped: Number(skipped) + Number(todo),
    })),
  );
  if (found === null) return null;
  const files = [...output.matchAll(FILE_AS_TEST)].length;
  return { ...found, passed: Math.max(0, found.passed - files) };
};
