import type { Event } from '@dbox/contracts';
import type { CommandContext, CommandResult } from '../command-context.ts';
import { followEvents } from '../event-stream.ts';
import { EXIT } from '../exit-codes.ts';
import { listenForInterrupt } from '../interrupt.ts';
import type { Output } from '../output.ts';
import { plainLine } from '../plain-text.ts';

const PAGE = 1000;

/** All events after a number, oldest first; with `follow` whatever comes then, until Ctrl-C. */
export async function events(
  context: CommandContext,
  given: { readonly after: number; readonly follow: boolean },
): CommandResult {
  const { box, clock, output } = context;
  const print = (event: Event): unknown => output.stdout.write(`${formatEvent(event, output)}\n`);
  let after = given.after;
  while (true) {
    const page = await box.call('listEvents', { query: { after, limit: PAGE } });
    page.events.forEach(print);
    after = page.events.at(-1)?.seq ?? after;
    if (page.events.length === 0 || (!given.follow && page.events.length < PAGE)) break;
  }
  if (!given.follow) return EXIT.ok;

  const interrupt = listenForInterrupt();
  let away = false;
  try {
    const stream = followEvents({
      box,
      clock,
      after,
      signal: interrupt.signal,
      onConnection: (state) => {
        if (state === 'down') output.note('The box does not answer; waiting for it.');
        else if (away) output.note('The box is back.');
        away = state === 'down';
      },
    });
    for await (const event of stream) print(event);
  } finally {
    interrupt.stop();
  }
  return EXIT.ok;
}

export function formatEvent(event: Event, output: Pick<Output, 'json' | 'out'>): string {
  if (output.json) {
    const { seq, at, actor, type, subject, data, hash } = event;
    return JSON.stringify({ seq, at, actor, type, subject, data, hash });
  }
  const head = `${String(event.seq).padStart(6)} ${plainLine(event.at)}`;
  const words = `${plainLine(event.type)} ${output.out('cyan', plainLine(event.subject))}`;
  const data = plainLine(JSON.stringify(event.data));
  return `${output.out('dim', head)} ${words} ${plainLine(event.actor)} ${output.out('dim', data)}`;
}

export async function verifyEvents({ box, output }: CommandContext): CommandResult {
  const report = await box.call('verifyEvents');
  output.answerJson(report);
  if (report.ok) {
    output.answer(`✓ ${report.count} events, the chain is whole; head ${report.headSeq} ${report.headHash}`);
    return EXIT.ok;
  }
  output.answer(`✗ The chain is broken: ${plainLine(report.problem ?? 'unknown')}`);
  return EXIT.failed;
}
