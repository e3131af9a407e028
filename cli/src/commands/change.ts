import type { Release } from '@dbox/contracts';
import type { CommandContext, CommandResult } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { CliError } from '../failure.ts';
import { kindOfId, storyOrTask } from '../ids.ts';
import { short } from '../renderings.ts';

export async function retry({ box, output }: CommandContext, id: string): CommandResult {
  if (storyOrTask(id, 'retry') === 'story') {
    const report = await box.call('retryStory', { params: { storyId: id } });
    output.note(`Story ${id} is ${report.story.status}. Follow it with \`./dbox story --follow ${id}\`.`);
    output.answerJson(report);
  } else {
    const task = await box.call('retryTask', { params: { taskId: id } });
    output.note(`Task ${id} is ${task.status}. Follow it with \`./dbox story --follow ${task.storyId}\`.`);
    output.answerJson(task);
  }
  return EXIT.ok;
}

export async function cancel({ box, output }: CommandContext, id: string): CommandResult {
  if (storyOrTask(id, 'cancel') === 'story') {
    const report = await box.call('cancelStory', { params: { storyId: id } });
    output.note(`Story ${id} is ${report.story.status}.`);
    output.answerJson(report);
  } else {
    const task = await box.call('cancelTask', { params: { taskId: id } });
    output.note(`Task ${id} is ${task.status}.`);
    output.answerJson(task);
  }
  return EXIT.ok;
}

/** Without a release: the newest good one before the live one, of the only project or of `--project`. */
export async function rollback(context: CommandContext, releaseId: string | null): CommandResult {
  const { box, output, flags } = context;
  const asked = releaseId === null ? null : await findRelease(context, releaseId);
  const project = asked?.project ?? flags.project ?? (await onlyProject(context));
  if (asked !== null && flags.project !== null && flags.project !== asked.project) {
    throw new CliError('usage', `${asked.id} is a release of ${asked.project}, not of ${flags.project}.`);
  }
  const answer = await box.call('rollBack', {
    params: { project },
    body: asked === null ? {} : { environment: asked.environment, releaseId: asked.id },
  });
  output.note(
    `${project} goes back from ${answer.from.id} (${short(answer.from.commit)}) ` +
      `to ${answer.to.id} (${short(answer.to.commit)}). Its data in DATA_DIR is not changed.`,
  );
  output.answer(answer.to.id);
  output.answerJson(answer);
  return EXIT.ok;
}

async function findRelease({ box }: CommandContext, id: string): Promise<Release> {
  if (kindOfId(id) !== 'release') {
    throw new CliError('usage', `${id} is no release.`, {
      hint: 'Give an id such as rel_…; `./dbox releases` lists them. A project is named with --project.',
    });
  }
  const { releases } = await box.call('listReleases', { query: { limit: 1000 } });
  const release = releases.find((one) => one.id === id);
  if (release) return release;
  throw new CliError('not_found', `There is no release ${id}.`, { hint: '`./dbox releases` lists them.' });
}

async function onlyProject({ box }: CommandContext): Promise<string> {
  const { projects } = await box.call('listProjects');
  const [first, second] = projects;
  if (first === undefined)
    throw new CliError('not_found', 'There is no project yet, so nothing to roll back.');
  if (second === undefined) return first.name;
  const names = projects.map((one) => one.name).join(', ');
  throw new CliError('usage', `There are several projects: ${names}.`, {
    hint: 'Say which with --project NAME, or name the release to go back to.',
  });
}
