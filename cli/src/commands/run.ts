import type { CommandContext, CommandResult } from '../command-context.ts';
import { startBox } from '../start-box.ts';
import { attachToStory } from '../story-attachment.ts';
import { readStoryInput, submitStory } from '../story-submission.ts';
import { sayBoxIsUp } from './up.ts';

/** From a sentence to an address. What can be refused without a box is refused before one is started. */
export async function run(
  context: CommandContext,
  input: { readonly words: readonly string[]; readonly files: readonly string[]; readonly sandbox: boolean },
): CommandResult {
  const { config, output, clock } = context;
  const body = await readStoryInput(input, context.flags);
  if (config.host === null) {
    const box = await startBox({
      config,
      clock,
      sandbox: input.sandbox,
      onStarting: () => output.note('Starting the box …'),
      onWaiting: (pid) => output.note(`Waiting for the box that is starting or stopping (process ${pid}) …`),
    });
    if (box.started) sayBoxIsUp(context, box.state);
  }
  const { story, project } = await submitStory(context, body);
  const made = project.created ? 'new project' : 'project';
  output.note(`Story ${story.id} on the ${made} ${project.name}.`);
  return attachToStory(context, story.id);
}
