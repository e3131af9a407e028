import { addUp, type CountsParser } from './counts.ts';

/** `ok  	example.com/a	0.003s`, `ok … (cached)`, `FAIL	example.com/a	0.01s`, `FAIL … [build failed]`, `?   	… [no test files]`. */
const PACKAGE = /^(ok {2}|FAIL|\? {3})\t(\S+)(?:\t| \[)(.*)$/gm;
const TEST = /^--- (PASS|FAIL|SKIP): /gm;

/**
 * With `-v` the top-level tests are counted. Without it go names failed tests only: a package that
 * is `ok` and had tests to run counts as one passed.
 */
export const parseGoCounts: CountsParser = (output) => {
  const packages = [...output.matchAll(PACKAGE)].map(([, state, , rest]) => ({
    state: (state as string).trim(),
    rest: rest as string,
  }));
  if (packages.length === 0) return null;
  const tests = [...output.matchAll(TEST)].map(([, state]) => state);
  const isVerbose = /^=== RUN /m.test(output);
  const brokenPackages = packages.filter(({ rest }) => /(build|setup) failed\]/.test(rest)).length;
  if (isVerbose) {
    return addUp('go', [
      {
        passed: tests.filter((state) => state === 'PASS').length,
        failed: tests.filter((state) => state === 'FAIL').length + brokenPackages,
        skipped: tests.filter((state) => state === 'SKIP').length,
      },
    ]);
  }
  const passedPackages = packages.filter(
    ({ state, rest }) => state === 'ok' && !rest.includes('[no tests to run]'),
  ).length;
  const failedPackages = packages.filter(({ state }) => state === 'FAIL').length;
  return addUp('go', [
    { passed: passedPackages, failed: Math.max(tests.length + brokenPackages, failedPackages), skipped: 0 },
  ]);
};
