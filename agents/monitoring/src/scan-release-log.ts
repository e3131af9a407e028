import type { Check, CheckResult, Client, LogCriterion } from '@dbox/contracts';
import { excerpt, findLogMatch, InvalidPatternError } from '@dbox/probe';

/** At most 8 MB an answer, as a line has at most 8 KiB. */
const LINES_PER_PAGE = 1000;

export interface LogScan {
  readonly client: Client;
  readonly releaseId: string;
  readonly checks: readonly Check[];
  /** Output from here on is new; null from the release's start. */
  readonly logCursor: string | null;
  readonly maxLogPages: number;
  readonly signal: AbortSignal;
}

interface LogCheck {
  readonly id: string;
  readonly criterion: LogCriterion;
  /** The first line it forbids; null while there is none. */
  found: string | null;
  /** Why it cannot be judged; null while it can. */
  unable: string | null;
}

/**
 * Judges the log checks over what the release printed since the cursor, page by page, so that memory is
 * bounded. A page that cannot be read leaves the cursor before it. Rejects only when the signal is aborted.
 */
export async function scanReleaseLog(
  look: LogScan,
): Promise<{ readonly results: CheckResult[]; readonly nextCursor: string | null }> {
  const checks: LogCheck[] = [];
  for (const { id, criterion } of look.checks) {
    if (criterion.kind === 'log') checks.push({ id, criterion, found: null, unable: null });
  }
  let cursor = look.logCursor;
  for (let page = 0; checks.length > 0 && page < look.maxLogPages; page++) {
    const lines = await readPage(look.client, { ...look, after: cursor });
    if (lines === null) {
      for (const check of checks) check.unable ??= 'The output of the release could not be read.';
      break;
    }
    for (const check of checks) judge(check, lines.texts);
    cursor = lines.next;
    if (lines.count < LINES_PER_PAGE) break;
  }
  return { results: checks.map(resultOf), nextCursor: cursor };
}

/** Null where the manager did not answer. */
async function readPage(
  client: Client,
  from: { readonly releaseId: string; readonly after: string | null; readonly signal: AbortSignal },
): Promise<{ texts: string[]; next: string; count: number } | null> {
  try {
    const page = await client.call('readLogs', {
      query: {
        subject: from.releaseId,
        limit: LINES_PER_PAGE,
        ...(from.after === null ? {} : { after: from.after }),
      },
      signal: from.signal,
    });
    if (page === null) return null;
    // Lines of the stream `agent` are about the release, not by it.
    const printed = page.lines.filter(({ stream }) => stream !== 'agent');
    return { texts: printed.map(({ text }) => text), next: page.next, count: page.lines.length };
  } catch {
    from.signal.throwIfAborted();
    return null;
  }
}

function judge(check: LogCheck, texts: readonly string[]): void {
  if (check.found !== null || check.unable !== null) return;
  try {
    check.found = findLogMatch(check.criterion, texts);
  } catch (error) {
    if (!(error instanceof InvalidPatternError)) throw error;
    check.unable = error.message;
  }
}

function resultOf({ id, criterion, found, unable }: LogCheck): CheckResult {
  const pattern = `/${excerpt(criterion.mustNotMatch)}/`;
  // A line that was found counts, even where the rest could not be read.
  if (found !== null) {
    return {
      id,
      outcome: 'failed',
      detail: `Its output matches ${pattern}: ${excerpt(found)}`,
      latencyMs: null,
    };
  }
  if (unable !== null) return { id, outcome: 'could_not_run', detail: unable, latencyMs: null };
  return { id, outcome: 'passed', detail: `No new line of its output matches ${pattern}.`, latencyMs: null };
}
