import type { Event, StoryReport, TaskStatus } from '@dbox/contracts';
import { plainLine } from './plain-text.ts';

/** What a person watches of one task. */
export interface TaskProgress {
  readonly id: string;
  readonly title: string;
  readonly status: TaskStatus;
  readonly attemptCount: number;
  readonly engine: string | null;
  /** What was last heard of the work on it; null when that is said by the status already. */
  readonly action: string | null;
  /** When work on it was first seen; null while it waits. */
  readonly startedAtMs: number | null;
  /** When it was seen to stop moving. */
  readonly endedAtMs: number | null;
}

export interface StoryProgress {
  readonly storyStatus: StoryReport['story']['status'] | null;
  readonly tasks: readonly TaskProgress[];
}

/** The next picture, and what changed in words: one line each. */
export interface ProgressStep {
  readonly progress: StoryProgress;
  readonly changes: readonly string[];
}

export const NO_PROGRESS: StoryProgress = { storyStatus: null, tasks: [] };

/** What a status means to someone who waits. */
export const PHASES: Readonly<Record<TaskStatus, string>> = {
  created: 'waiting',
  assigned: 'waiting for an agent',
  in_progress: 'coding',
  complete: 'testing',
  verified: 'releasing',
  deployed: 'live',
  blocked: 'blocked',
  failed: 'failed',
  cancelled: 'cancelled',
  rolled_back: 'rolled back',
};

const WAITING: readonly TaskStatus[] = ['created', 'assigned'];
const ENDED: readonly TaskStatus[] = ['deployed', 'blocked', 'failed', 'cancelled', 'rolled_back'];

/** In these nothing that was heard before still holds. */
const SAID_BY_STATUS: readonly TaskStatus[] = ['created', 'assigned', ...ENDED];

/** Steps that no agent tells of; its own words are in the events of its job. */
const RELEASE_ACTIONS: Readonly<Record<string, string>> = {
  'release.queued': 'waiting to be released',
  'release.baking': 'switching the traffic',
  'release.refused': 'the release was refused',
};

export function applyReport(before: StoryProgress, report: StoryReport, nowMs: number): ProgressStep {
  const changes: string[] = [];
  const tasks = report.tasks.map((task): TaskProgress => {
    const old = before.tasks.find((one) => one.id === task.id);
    const again = old !== undefined && task.attemptCount > old.attemptCount && old.attemptCount > 0;
    if (old === undefined || old.status !== task.status || again) {
      const attempt = task.attemptCount > 1 ? ` (attempt ${task.attemptCount})` : '';
      const title = old === undefined && task.title !== task.id ? ` · ${plainLine(task.title)}` : '';
      const reason = task.reason !== null && ENDED.includes(task.status) ? `: ${plainLine(task.reason)}` : '';
      changes.push(`${task.id} ${PHASES[task.status] ?? task.status}${attempt}${title}${reason}`);
    }
    return {
      id: task.id,
      title: plainLine(task.title),
      status: task.status,
      attemptCount: task.attemptCount,
      engine: task.engine,
      action: again || SAID_BY_STATUS.includes(task.status) ? null : (old?.action ?? null),
      startedAtMs: old?.startedAtMs ?? (WAITING.includes(task.status) ? null : nowMs),
      endedAtMs: ENDED.includes(task.status) ? (old?.endedAtMs ?? nowMs) : null,
    };
  });
  if (before.storyStatus !== report.story.status) changes.unshift(`story ${report.story.status}`);
  return { progress: { storyStatus: report.story.status, tasks }, changes };
}

export function applyEvent(before: StoryProgress, event: Event): ProgressStep {
  const taskId = event.subject.startsWith('task/') ? event.subject.slice('task/'.length) : event.data.task;
  const task = before.tasks.find((one) => one.id === taskId);
  if (task === undefined) return { progress: before, changes: [] };
  // With its verdict the tests of an attempt are over; what comes next says so itself.
  if (event.type === 'verdict.given')
    return { progress: withAction(before, task, null), changes: badVerdict(task.id, event) };
  const action = actionOf(event);
  if (action === null || action === task.action) return { progress: before, changes: [] };
  return { progress: withAction(before, task, action), changes: [`${task.id} ${action}`] };
}

function withAction(before: StoryProgress, task: TaskProgress, action: string | null): StoryProgress {
  return { ...before, tasks: before.tasks.map((one) => (one === task ? { ...one, action } : one)) };
}

/** Why an attempt is done again; `show` has the evidence. */
function badVerdict(taskId: string, { data }: Event): string[] {
  if (data.outcome === 'passed') return [];
  const outcome = data.outcome === 'could_not_run' ? 'could not be tested' : 'failed its tests';
  return [`${taskId} attempt ${Number(data.attempt)} ${outcome}: ${plainLine(String(data.summary))}`];
}

function actionOf({ type, data }: Event): string | null {
  if (typeof data.action === 'string' && !type.startsWith('incident.')) return plainLine(data.action) || null;
  return RELEASE_ACTIONS[type] ?? null;
}
