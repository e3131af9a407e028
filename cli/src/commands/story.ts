import type { CommandContext, CommandResult } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { attachToStory } from '../story-attachment.ts';
import { readStoryInput, submitStory } from '../story-submission.ts';

/** Looser than real ids, so that a mistyped one is told as unknown and never built as a site of that name. */
const STORY_ID = /^st_\w*$/;

/** Submits a story; with `--follow`, the id of a story that is there already attaches to it. */
export async function story(
  context: CommandContext,
  input: { readonly words: readonly string[]; readonly files: readonly string[]; readonly follow: boolean },
): CommandResult {
  const { output } = context;
  const [first] = input.words;
  if (input.follow && input.words.length === 1 && first !== undefined && STORY_ID.test(first)) {
    return attachToStory(context, first);
  }
  const submitted = await submitStory(context, await readStoryInput(input, context.flags));
  const { id, taskIds } = submitted.story;
  const made = submitted.project.created ? 'new project' : 'project';
  output.note(`Story ${id} on the ${made} ${submitted.project.name}.`);
  if (input.follow) return attachToStory(context, id);
  if (taskIds.length > 0) output.note(`Tasks: ${taskIds.join(', ')}`);
  output.note(`Follow it with \`./dbox story --follow ${id}\`.`);
  output.answer(id);
  output.answerJson(submitted);
  return EXIT.ok;
}
