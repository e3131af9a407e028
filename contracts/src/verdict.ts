import { z } from 'zod';
import { CheckResult } from './check.ts';
import { OUTCOMES } from './statuses.ts';

export const TestCounts = z.object({
  runner: z.enum(['node', 'vitest', 'jest', 'pytest', 'go', 'tap']),
  passed: z.int(),
  failed: z.int(),
  skipped: z.int(),
});

/** What one `tests` entry did. */
export const TestResult = z.object({
  run: z.string(),
  outcome: z.enum(OUTCOMES),
  exitCode: z.int().nullable(),
  detail: z.string(),
  /** Where the cause of a `could_not_run` lies: rework mends a commit, only a repeat or a person mends a host. */
  cause: z.enum(['commit', 'host']).nullable(),
  /** Null where the runner prints none. */
  counts: TestCounts.nullable(),
  durationMs: z.number(),
  outputHead: z.string(),
  outputTail: z.string(),
  /** Bytes left out between head and tail. */
  outputCutBytes: z.int(),
});

/** What the checks and tests said of one attempt. Checks by address are added by the smoke test of its release. */
export const Verdict = z.object({
  outcome: z.enum(OUTCOMES),
  /** Null unless the outcome is `could_not_run`. */
  cause: z.enum(['commit', 'host']).nullable(),
  summary: z.string(),
  checks: z.array(CheckResult),
  tests: z.array(TestResult),
  /** Test files that existed before this attempt and that it changed or deleted. */
  changedTestFiles: z.array(z.string()),
});

export type TestCounts = z.infer<typeof TestCounts>;
export type TestResult = z.infer<typeof TestResult>;
export type Verdict = z.infer<typeof Verdict>;
