import type { StatusReport } from '@dbox/contracts';
import type { CommandContext, CommandResult } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { plainLine } from '../plain-text.ts';
import { formatAgo } from '../quantities.ts';
import { heading, markedCell, renderList } from '../sections.ts';

/** Older settled stories are found with `show` and `tasks`. */
const MOST_STORIES = 10;

export async function status(context: CommandContext): CommandResult {
  const { output, box, clock, flags } = context;
  const report = await box.call('getStatus');
  output.answerJson(report);
  if (!output.json) output.answer(renderStatus(filterByProject(report, flags.project), output, clock.now()));
  return EXIT.ok;
}

function filterByProject(report: StatusReport, project: string | null): StatusReport {
  if (project === null) return report;
  return {
    ...report,
    projects: report.projects.filter((one) => one.name === project),
    stories: report.stories.filter((one) => one.project === project),
  };
}

export function renderStatus(report: StatusReport, output: Output, nowMs: number): string {
  const { box } = report;
  const sites = report.projects.flatMap((project) =>
    project.environments.map(({ name, url, health, release, engine }) => [
      project.name,
      name,
      markedCell(output, release === null ? 'stopped' : health, release === null ? 'nothing live' : health),
      url,
      release === null ? '' : release.id,
      engine ?? '',
    ]),
  );
  const incidents = report.projects.flatMap((project) =>
    project.environments.flatMap(({ name, incident }) =>
      incident === null
        ? []
        : [
            `${output.out('yellow', '!')} ${project.name}/${name}: incident ${incident.id} is ${incident.status}: ${plainLine(incident.detail)}`,
          ],
    ),
  );
  const empty = report.projects.filter((project) => project.environments.length === 0);
  const stories = report.stories
    .slice(0, MOST_STORIES)
    .map((one) => [one.id, markedCell(output, one.status), one.project, one.reason ?? one.text]);
  const agents = report.agents.map((agent) => [
    agent.name,
    agent.kind,
    markedCell(output, agent.state),
    formatAgo(agent.lastSeenAt, nowMs),
  ]);
  return [
    `${output.out('bold', 'Box')} ${box.version} (${box.mode}) at ${box.url}, ${box.mode === 'docker' ? 'in containers' : `process ${box.pid}, workspace ${plainLine(box.workspace)}`}`,
    ...box.warnings.map((warning) => `${output.out('yellow', '!')} ${plainLine(warning)}`),
    '',
    heading(output, 'Sites'),
    sites.length === 0 && empty.length === 0
      ? 'None yet. Make one with ./dbox run "Develop and run a blog site".'
      : renderList(
          output,
          ['PROJECT', 'ENV', 'HEALTH', 'ADDRESS', 'RELEASE', 'ENGINE'],
          [...sites, ...empty.map((project) => [project.name, '', 'no release', '', '', ''])],
        ),
    ...incidents,
    '',
    heading(output, 'Stories'),
    stories.length === 0 ? 'None yet.' : renderList(output, ['STORY', 'STATUS', 'PROJECT', 'TEXT'], stories),
    '',
    heading(output, 'Agents'),
    agents.length === 0 ? 'None.' : renderList(output, ['NAME', 'KIND', 'STATE', 'SEEN'], agents),
  ].join('\n');
}
