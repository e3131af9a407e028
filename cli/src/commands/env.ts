import type { Answer, SettingList } from '@dbox/contracts';
import type { CommandContext, CommandResult } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { CliError } from '../failure.ts';
import { listenForInterrupt } from '../interrupt.ts';
import { plainLine } from '../plain-text.ts';
import { formatAgo } from '../quantities.ts';
import { readSecret } from '../secret-input.ts';
import { renderList } from '../sections.ts';
import { followSettings } from '../settings-follower.ts';

interface Where {
  readonly project: string;
  readonly environment: string;
}
interface Wish extends Where {
  readonly key: string;
  readonly follow: boolean;
}
type Change = Answer<'setSetting'>;

export async function setSetting(
  context: CommandContext,
  wish: Wish & { readonly allowEmpty: boolean },
): CommandResult {
  const { project, environment, key } = wish;
  const value = await readSecret(context, key);
  if (value === '' && !wish.allowEmpty) {
    throw new CliError('usage', `The value of ${key} is empty.`, {
      hint: `Give it on standard input, e.g. ./dbox env set ${project} ${key} < file; an empty one needs --allow-empty.`,
    });
  }
  const change = await context.box.call('setSetting', {
    params: { project, environment, key },
    body: { value },
  });
  return tell(context, wish, change);
}

export async function unsetSetting(context: CommandContext, wish: Wish): CommandResult {
  const { project, environment, key } = wish;
  const change = await context.box.call('removeSetting', { params: { project, environment, key } });
  return tell(context, wish, change);
}

export async function listSettings(context: CommandContext, where: Where): CommandResult {
  const { output, box, clock } = context;
  const list = await box.call('listSettings', { params: { ...where } });
  output.answerJson(list);
  if (list.settings.length === 0) output.note(`${nameOf(where)} has no settings.`);
  else {
    const rows = list.settings.map(({ key, changedAt }) => [key, formatAgo(changedAt, clock.now())]);
    output.answer(renderList(output, ['KEY', 'CHANGED'], rows));
  }
  for (const line of stateLines(list)) output.note(line);
  return EXIT.ok;
}

function stateLines({ version, live, pending, refused }: SettingList): string[] {
  const isLive = live === version;
  return [
    ...(isLive
      ? []
      : [`Version ${version}${live === null ? ', for the first release' : `; version ${live} is live`}.`]),
    ...(pending ? ['A release with it is under way, or waits for its turn.'] : []),
    ...(refused === null
      ? []
      : [
          `Version ${refused.version} was refused (release ${refused.releaseId}): ${plainLine(refused.reason)}`,
        ]),
  ];
}

/** What comes of a change is seen on the site, so the command stays until that has ended. */
async function tell(context: CommandContext, wish: Wish, change: Change): CommandResult {
  const { output, clock, box } = context;
  const { project, environment } = wish;
  const { version, effect } = change;
  output.note(`${wish.key} is in version ${version} of the settings of ${nameOf(wish)}.`);
  const isUnderWay = effect === 'releasing' || effect === 'waiting';
  if (effect === 'next_release') output.note('The next release runs with it.');
  if (effect === 'live') output.note('What is live runs with it already.');
  if (effect === 'releasing') output.note(`It is released as ${change.releaseId ?? 'a new release'} …`);
  if (effect === 'waiting') output.note('Something else is being released; this comes after it …');
  if (!isUnderWay || !wish.follow) {
    output.answer(String(version));
    output.answerJson({ ...change, outcome: isUnderWay ? 'under_way' : effect, reason: null });
    return EXIT.ok;
  }
  const interrupt = listenForInterrupt();
  try {
    const end = await followSettings({ box, clock, project, environment, version, signal: interrupt.signal });
    if (end === null) {
      output.warn(`Detached; the release goes on. Look with \`./dbox env list ${project}\`.`);
      return EXIT.usage;
    }
    const reason = 'reason' in end ? end.reason : null;
    output.answerJson({ ...change, outcome: end.outcome, reason });
    if (reason === null) {
      output.note(
        end.outcome === 'live' ? `${nameOf(wish)} runs with it.` : 'The next release runs with it.',
      );
      output.answer(String(version));
      return EXIT.ok;
    }
    output.problem(output.err('red', `✗ It is not live: ${plainLine(reason)}`));
    output.note(
      `${nameOf(wish)} serves on with what it had. Set it right, or take it away with \`env unset\`.`,
    );
    return EXIT.failed;
  } finally {
    interrupt.stop();
  }
}

function nameOf({ project, environment }: Where): string {
  return `${project}/${environment}`;
}
