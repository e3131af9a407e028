import type { CommandContext, CommandResult } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { formatAgo } from '../quantities.ts';
import { short } from '../renderings.ts';
import { markedCell, renderList } from '../sections.ts';
import type { Cell } from '../table.ts';

type Rows = readonly (readonly (string | Cell)[])[];

/** What a list command narrows by. */
export interface ListFlags {
  readonly limit: number;
}

function project({ flags }: CommandContext): { project?: string } {
  return flags.project === null ? {} : { project: flags.project };
}

function answerList({ output }: CommandContext, headers: readonly string[], rows: Rows, empty: string): void {
  if (rows.length === 0) output.note(empty);
  else output.answer(renderList(output, headers, rows));
}

export async function tasks(context: CommandContext, { limit }: ListFlags): CommandResult {
  const answer = await context.box.call('listTasks', { query: { ...project(context), limit } });
  context.output.answerJson(answer);
  answerList(
    context,
    ['TASK', 'STATUS', 'PROJECT', 'ATTEMPTS', 'ENGINE', 'UPDATED', 'TITLE'],
    answer.tasks.map((task) => [
      task.id,
      markedCell(context.output, task.status),
      task.project,
      String(task.attemptCount),
      task.engine ?? '',
      formatAgo(task.updatedAt, context.clock.now()),
      task.reason === null ? task.title : `${task.title}: ${task.reason}`,
    ]),
    'No tasks yet. A story makes them: ./dbox run "Develop and run a blog site".',
  );
  return EXIT.ok;
}

export async function releases(context: CommandContext, { limit }: ListFlags): CommandResult {
  const answer = await context.box.call('listReleases', { query: { ...project(context), limit } });
  context.output.answerJson(answer);
  answerList(
    context,
    ['RELEASE', 'STATUS', 'PROJECT', 'ENV', 'COMMIT', 'SETTINGS', 'MADE', 'TASK'],
    answer.releases.map((release) => [
      release.id,
      markedCell(context.output, release.status),
      release.project,
      release.environment,
      short(release.commit),
      release.settingsVersion === 0 ? '' : `version ${release.settingsVersion}`,
      formatAgo(release.createdAt, context.clock.now()),
      release.reason === null ? (release.taskId ?? '') : `${release.taskId ?? ''}: ${release.reason}`,
    ]),
    'No releases yet.',
  );
  return EXIT.ok;
}

export async function incidents(context: CommandContext, { limit }: ListFlags): CommandResult {
  const answer = await context.box.call('listIncidents', { query: { ...project(context), limit } });
  context.output.answerJson(answer);
  answerList(
    context,
    ['INCIDENT', 'STATUS', 'PROJECT', 'RELEASE', 'OPENED', 'WHAT'],
    answer.incidents.map((incident) => [
      incident.id,
      markedCell(context.output, incident.status),
      incident.project,
      incident.releaseId,
      formatAgo(incident.openedAt, context.clock.now()),
      incident.detail,
    ]),
    'No incidents. Every live site is watched.',
  );
  return EXIT.ok;
}

export async function agents(context: CommandContext): CommandResult {
  const answer = await context.box.call('listAgents');
  context.output.answerJson(answer);
  answerList(
    context,
    ['AGENT', 'KIND', 'STATE', 'CAPACITY', 'SEEN', 'VERSION', 'NOTES'],
    answer.agents.map((agent) => [
      agent.name,
      agent.kind,
      markedCell(context.output, agent.state),
      String(agent.capacity),
      formatAgo(agent.lastSeenAt, context.clock.now()),
      agent.version,
      agent.warnings.join('; '),
    ]),
    'No agent has registered yet.',
  );
  return EXIT.ok;
}

export async function projects(context: CommandContext): CommandResult {
  const answer = await context.box.call('listProjects');
  context.output.answerJson(answer);
  answerList(
    context,
    ['PROJECT', 'ADDRESS', 'MAIN', 'ORIGIN', 'MADE'],
    answer.projects.map((one) => [
      one.name,
      Object.values(one.urls).join(' '),
      one.mainCommit === null ? 'empty' : short(one.mainCommit),
      one.origin,
      formatAgo(one.createdAt, context.clock.now()),
    ]),
    'No projects yet. A story makes one, or ./dbox project add NAME.',
  );
  return EXIT.ok;
}
