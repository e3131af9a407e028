import type { CommandContext, CommandResult } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { CliError } from '../failure.ts';
import { kindOfId } from '../ids.ts';
import { renderIncident, renderRelease, renderStory, renderTask } from '../renderings.ts';

/** Shows whatever the id names: a story, a task, a release or an incident. */
export async function show(context: CommandContext, id: string): CommandResult {
  const { box, output, clock } = context;
  switch (kindOfId(id)) {
    case 'story': {
      const report = await box.call('getStory', { params: { storyId: id } });
      output.answerJson(report);
      output.answer(renderStory(report, output));
      break;
    }
    case 'release': {
      const { releases } = await box.call('listReleases', { query: { limit: 1000 } });
      const release = found(releases, id);
      output.answerJson(release);
      output.answer(renderRelease(release, output, clock.now()));
      break;
    }
    case 'incident': {
      const { incidents } = await box.call('listIncidents', { query: { limit: 1000 } });
      const incident = found(incidents, id);
      output.answerJson(incident);
      output.answer(renderIncident(incident, output, clock.now()));
      break;
    }
    case 'task': {
      const task = await box.call('getTask', { params: { taskId: id } });
      output.answerJson(task);
      output.answer(renderTask(task, output));
      break;
    }
    case 'other':
      throw new CliError('usage', `There is nothing to show for ${id}.`, {
        hint: 'show takes the id of a story, a task, a release or an incident.',
      });
  }
  return EXIT.ok;
}

function found<T extends { readonly id: string }>(all: readonly T[], id: string): T {
  const one = all.find((item) => item.id === id);
  if (one) return one;
  throw new CliError('not_found', `There is no ${id} among the newest 1000.`, {
    hint: 'List them with `./dbox releases` or `./dbox incidents`.',
  });
}
