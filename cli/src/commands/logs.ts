import type { Answer } from '@dbox/contracts';
import { SETTLED_STORY_STATUSES } from '@dbox/contracts/statuses';
import type { CommandContext, CommandResult } from '../command-context.ts';
import { isPassing } from '../event-stream.ts';
import { EXIT } from '../exit-codes.ts';
import { listenForInterrupt } from '../interrupt.ts';
import type { Output } from '../output.ts';
import { plainText } from '../plain-text.ts';

/** A person reads along; half a second is not noticed. */
const LOOK_INTERVAL_MS = 500;

type Line = Answer<'readLogs'>['lines'][number];

/** Without an id: of the newest story, or of the manager where there is none. */
export async function logs(
  context: CommandContext,
  given: { readonly id: string | null; readonly follow: boolean },
): CommandResult {
  const subject = given.id ?? (await newestStory(context)) ?? 'manager';
  const interrupt = given.follow ? listenForInterrupt() : null;
  const signal = interrupt?.signal ?? new AbortController().signal;
  try {
    await printLines(context, subject, given.follow, signal);
  } finally {
    interrupt?.stop();
  }
  return EXIT.ok;
}

async function printLines(
  { box, clock, output }: CommandContext,
  subject: string,
  follow: boolean,
  signal: AbortSignal,
): Promise<void> {
  let after: string | undefined;
  let away = false;
  let printed = false;
  while (!signal.aborted) {
    let page: Answer<'readLogs'>;
    try {
      page = await box.call('readLogs', { query: { subject, after }, signal });
    } catch (error) {
      if (signal.aborted) return;
      // The first call says whether there is a box at all; later ones outlive its restarts.
      if (!follow || after === undefined || !isPassing(error)) throw error;
      if (!away) output.note('The box does not answer; waiting for it.');
      away = true;
      await clock.sleep(LOOK_INTERVAL_MS, signal);
      continue;
    }
    if (away) output.note('The box is back.');
    away = false;
    for (const line of page.lines) output.stdout.write(`${formatLine(line, output)}\n`);
    printed ||= page.lines.length > 0;
    const moved = page.next !== after;
    after = page.next;
    if (page.lines.length > 0 && moved) continue;
    if (!follow || page.ended) {
      if (!printed) output.note('Nothing was printed yet.');
      return;
    }
    await clock.sleep(LOOK_INTERVAL_MS, signal);
  }
}

/** With `--json` the line as it came, one object a line. */
export function formatLine(line: Line, output: Pick<Output, 'json' | 'out'>): string {
  if (output.json) return JSON.stringify(line);
  const text = plainText(wordsOf(line.text)).replaceAll('\n', ' ');
  const body = line.stream === 'stderr' ? output.out('yellow', text) : text;
  return `${output.out('dim', `${plainText(line.at).slice(11, 23)} ${plainText(line.source)}`)} ${body}`;
}

/** A service writes `{level, message, …}`; a person reads `level message key=value`. Anything else is as it was printed. */
function wordsOf(text: string): string {
  if (!text.startsWith('{"level":')) return text;
  try {
    const { level, message, ...data } = JSON.parse(text) as Record<string, unknown>;
    const more = Object.entries(data).map(
      ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
    );
    return [level, message, ...more].join(' ');
  } catch {
    return text;
  }
}

async function newestStory({ box, flags, output }: CommandContext): Promise<string | null> {
  const { stories } = await box.call('listStories', {
    query: { limit: 1, ...(flags.project === null ? {} : { project: flags.project }) },
  });
  const story = stories[0];
  if (story === undefined) return null;
  const over = SETTLED_STORY_STATUSES.includes(story.status) ? `, which is ${story.status}` : '';
  output.note(`Logs of the newest story, ${story.id}${over}.`);
  return story.id;
}
