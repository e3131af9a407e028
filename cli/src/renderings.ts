import type { Attempt, CheckResult, Incident, Release, StoryReport, TaskDetail } from '@dbox/contracts';
import { TEMPLATE_NOTE } from './engine-note.ts';
import type { Output } from './output.ts';
import { plainLine, plainText } from './plain-text.ts';
import { formatAgo, formatDuration } from './quantities.ts';
import { heading, markedCell, renderList } from './sections.ts';
import { statusMark } from './status-mark.ts';

type Look = Pick<Output, 'out' | 'stdout'>;

/** More of a test's output is in `logs`. */
const OUTPUT_LINES = 20;

export function renderStory(report: StoryReport, look: Look): string {
  const { story, project, url, tasks } = report;
  return [
    `${heading(look, story.id)}  ${marked(look, story.status)}  ${formatDuration(report.elapsedMs)}`,
    plainText(story.text),
    '',
    ...facts([
      ['project', project.name],
      ['address', url],
      ['reason', story.reason],
    ]),
    '',
    renderList(
      look,
      ['TASK', 'STATUS', 'ATTEMPTS', 'ENGINE', 'COMMIT', 'TITLE'],
      [
        ...tasks.map((task) => [
          task.id,
          markedCell(look, task.status),
          String(task.attemptCount),
          task.engine ?? '',
          short(task.commit),
          task.reason === null ? task.title : `${task.title}: ${task.reason}`,
        ]),
      ],
    ),
    ...(tasks.some((task) => task.engine === 'template') ? ['', TEMPLATE_NOTE] : []),
  ].join('\n');
}

export function renderTask(task: TaskDetail, look: Look): string {
  return [
    `${heading(look, task.id)}  ${marked(look, task.status)}  ${plainLine(task.title)}`,
    ...facts([
      ['story', task.storyId],
      ['project', task.project],
      ['engine', task.engine],
      ['commit', task.commit],
      ['after', task.dependsOn.join(', ')],
      ['releases', task.releaseIds.join(', ')],
      ['reason', task.reason],
    ]),
    ...task.attempts.flatMap((attempt) => ['', ...renderAttempt(attempt, look)]),
    ...(task.engine === 'template' ? ['', TEMPLATE_NOTE] : []),
  ].join('\n');
}

function renderAttempt(attempt: Attempt, look: Look): string[] {
  const { verdict } = attempt;
  const said = verdict === null ? 'no verdict yet' : marked(look, verdict.outcome);
  const lines = [`${heading(look, `Attempt ${attempt.n}`)}  ${said}  ${short(attempt.commit)}`];
  if (attempt.failure !== null) lines.push(`  ${plainLine(attempt.failure)}`);
  if (verdict === null) return lines;
  if (verdict.summary !== '') lines.push(`  ${plainLine(verdict.summary)}`);
  lines.push(...renderChecks(verdict.checks, look));
  for (const test of verdict.tests) {
    const { icon, style } = statusMark(test.outcome);
    lines.push(`  ${look.out(style, icon)} ${plainLine(test.run)}: ${plainLine(test.detail)}`);
    if (test.outcome !== 'passed') lines.push(...quote(`${test.outputHead}\n${test.outputTail}`, look));
  }
  if (verdict.changedTestFiles.length > 0) {
    lines.push(`  changed tests: ${verdict.changedTestFiles.map(plainLine).join(', ')}`);
  }
  return lines;
}

export function renderRelease(release: Release, look: Look, nowMs: number): string {
  return [
    `${heading(look, release.id)}  ${marked(look, release.status)}`,
    ...facts([
      ['project', `${release.project} (${release.environment})`],
      ['commit', release.commit],
      ['task', release.taskId],
      ['made', formatAgo(release.createdAt, nowMs)],
      ['live', release.liveAt === null ? null : formatAgo(release.liveAt, nowMs)],
      ['run by', release.runPlan.kind === 'nothing' ? null : release.runPlan.from],
      ['reason', release.reason],
    ]),
    ...renderChecks(release.checks, look),
  ].join('\n');
}

export function renderIncident(incident: Incident, look: Look, nowMs: number): string {
  return [
    `${heading(look, incident.id)}  ${marked(look, incident.status)}`,
    plainText(incident.detail),
    ...facts([
      ['project', `${incident.project} (${incident.environment})`],
      ['release', incident.releaseId],
      ['about', incident.fingerprint],
      ['opened', formatAgo(incident.openedAt, nowMs)],
      ['resolved', incident.resolvedAt === null ? null : formatAgo(incident.resolvedAt, nowMs)],
    ]),
    ...incident.actions.map((one) => `  ${one.at}  ${plainLine(one.action)}: ${plainLine(one.detail)}`),
  ].join('\n');
}

function renderChecks(checks: readonly CheckResult[], look: Look): string[] {
  return checks.map((check) => {
    const { icon, style } = statusMark(check.outcome);
    return `  ${look.out(style, icon)} ${check.id}: ${plainLine(check.detail)}`;
  });
}

function quote(text: string, look: Look): string[] {
  const lines = plainText(text).trim().split('\n');
  const shown = lines.slice(-OUTPUT_LINES).filter((line) => line.trim() !== '');
  return shown.map((line) => look.out('dim', `    │ ${line}`));
}

function facts(pairs: readonly (readonly [string, string | null])[]): string[] {
  return pairs
    .filter(([, value]) => value !== null && value !== '')
    .map(([name, value]) => `  ${name.padEnd(9)} ${plainLine(value ?? '')}`);
}

function marked(look: Look, status: string): string {
  const { icon, style } = statusMark(status);
  return look.out(style, `${icon} ${status}`);
}

/** As much of a commit as people read. */
export function short(commit: string | null): string {
  return commit === null ? '' : commit.slice(0, 10);
}
