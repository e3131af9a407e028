import type { CommandContext, CommandResult } from '../command-context.ts';
import { ensureBox } from '../ensure-box.ts';
import { attachToStory } from '../story-attachment.ts';
import { readStoryInput, submitStory } from '../story-submission.ts';
import { sayBoxIsUp } from './up.ts';

/** From a sentence to an address. What can be refused without a box is refused before one is started. */
export async function run(
  context: CommandContext,
  input: {
    readonly words: readonly string[];
    readonly files: readonly string[];
    readonly sandbox: boolean;
    readonly docker: boolean;
    readonly insecure: boolean;
  },
): CommandResult {
  const { config, output } = context;
  const body = await readStoryInput(input, context.flags);
  if (config.host === null) {
    const box = await ensureBox(context, { ...input, scale: {}, refresh: false });
    if (box.started) sayBoxIsUp(context, box.state);
  }
  const { story, project } = await submitStory(context, body);
  const made = project.created ? 'new project' : 'project';
  output.note(`Story ${story.id} on the ${made} ${project.name}.`);
  return attachToStory(context, story.id);
}
