import type { TestCounts, TestResult } from '@dbox/contracts';
import type { CommandOutcome } from '@dbox/sandbox';
import { findCounts } from './counts/find-counts.ts';
import { findAbsence } from './missing-program.ts';
import { toPlainText } from './plain-text.ts';

/** Turns how a `tests` entry ended and what it printed into its three-valued result. Fails closed. */
export function judgeTest(run: string, ended: CommandOutcome): TestResult {
  const outputHead = toPlainText(ended.head);
  const outputTail = toPlainText(ended.tail);
  const output = ended.cutBytes === 0 ? outputHead + outputTail : `${outputHead}\n${outputTail}`;
  const counts = findCounts(output);
  const judged = decide(run, ended, output, counts);
  return {
    run,
    outcome: judged.outcome,
    cause: judged.cause ?? null,
    exitCode: ended.exitCode,
    detail: `${judged.detail}${describeFlood(ended)}`,
    counts,
    durationMs: ended.durationMs,
    outputHead,
    outputTail,
    outputCutBytes: ended.cutBytes,
  };
}

interface Judged {
  readonly outcome: TestResult['outcome'];
  readonly cause?: TestResult['cause'];
  readonly detail: string;
}

function decide(run: string, ended: CommandOutcome, output: string, counts: TestCounts | null): Judged {
  if (ended.end === 'could_not_start' || ended.end === 'aborted') {
    return { outcome: 'could_not_run', cause: 'host', detail: ended.detail };
  }
  // It ran, and what it did is the commit's doing: never ending and eating the host are failures.
  if (ended.end !== 'exited') return { outcome: 'failed', detail: `the test ${ended.detail}` };

  const executed = counts === null ? 0 : counts.passed + counts.failed;
  const absence = findAbsence({ run, exitCode: ended.exitCode, output });
  // Where tests ran, the same words come from what they tested; exit 126 and 127 speak for themselves.
  if (absence !== null && (executed === 0 || ended.exitCode === 126 || ended.exitCode === 127)) {
    return { outcome: 'could_not_run', cause: absence.cause, detail: `nothing was tested: ${absence.what}` };
  }
  if (counts !== null && executed === 0) {
    const why = counts.skipped > 0 ? `all ${counts.skipped} were skipped` : 'it found none';
    return {
      outcome: 'could_not_run',
      cause: 'commit',
      detail: `no test was executed: ${counts.runner} says ${why} (${ended.detail})`,
    };
  }
  const counted = counts === null ? null : describeCounts(counts);
  if (ended.exitCode !== 0) {
    return { outcome: 'failed', detail: counted === null ? ended.detail : `${ended.detail}; ${counted}` };
  }
  if (counts === null) return { outcome: 'passed', detail: `${ended.detail}; the runner printed no counts` };
  if (counts.failed > 0) {
    return { outcome: 'failed', detail: `${ended.detail} although tests failed: ${counted}` };
  }
  return { outcome: 'passed', detail: `${ended.detail}; ${counted}` };
}

function describeCounts(counts: TestCounts): string {
  const parts = [`${counts.passed} passed`];
  if (counts.failed > 0) parts.push(`${counts.failed} failed`);
  if (counts.skipped > 0) parts.push(`${counts.skipped} skipped`);
  return parts.join(', ');
}

/** Output that a reader would not scroll through is named, since it may be what went wrong. */
const FLOOD_BYTES = 10 * 1024 * 1024;

function describeFlood(ended: CommandOutcome): string {
  if (ended.cutBytes < FLOOD_BYTES) return '';
  return `; it printed more than ${Math.floor(ended.cutBytes / (1024 * 1024))} MB, of which the middle was cut`;
}
