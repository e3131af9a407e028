import type { CommandContext, CommandResult } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { CliError } from '../failure.ts';
import { storyOrTask } from '../ids.ts';
import type { Output, Style } from '../output.ts';
import { plainText } from '../plain-text.ts';

/** What a task changed; of a story, what each of its tasks changed. */
export async function diff(
  { box, output }: CommandContext,
  given: { readonly id: string; readonly attempt: number | null },
): CommandResult {
  const story = storyOrTask(given.id, 'diff') === 'story';
  if (story && given.attempt !== null) throw new CliError('usage', '--attempt goes with the id of a task.');
  const taskIds = story
    ? (await box.call('getStory', { params: { storyId: given.id } })).tasks
        .filter((task) => task.commit !== null)
        .map((task) => task.id)
    : [given.id];
  const diffs: { taskId: string; diff: string }[] = [];
  for (const taskId of taskIds) {
    const response = await box.raw('getTaskDiff', {
      params: { taskId },
      query: given.attempt === null ? {} : { attempt: given.attempt },
    });
    diffs.push({ taskId, diff: await response.text() });
  }
  if (diffs.every((one) => one.diff === '')) output.note('Nothing was changed.');
  output.answerJson(story ? { diffs } : diffs[0]);
  if (!output.json) {
    for (const one of diffs)
      output.stdout.write(output.stdout.isTerminal ? paintDiff(one.diff, output) : one.diff);
  }
  return EXIT.ok;
}

/** In a pipe a diff stays as it is, byte for byte, for `git apply`; on a terminal it is made safe to look at. */
export function paintDiff(text: string, output: Pick<Output, 'out'>): string {
  return plainText(text)
    .split('\n')
    .map((line) => {
      const style = styleOf(line);
      return style === null ? line : output.out(style, line);
    })
    .join('\n');
}

function styleOf(line: string): Style | null {
  if (line.startsWith('diff ') || line.startsWith('+++') || line.startsWith('---')) return 'bold';
  if (line.startsWith('@@')) return 'cyan';
  if (line.startsWith('+')) return 'green';
  return line.startsWith('-') ? 'red' : null;
}
