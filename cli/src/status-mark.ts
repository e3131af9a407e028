import type { Style } from './output.ts';

interface Mark {
  readonly icon: string;
  readonly style: Style;
}

const DONE: Mark = { icon: '✓', style: 'green' };
const MOVING: Mark = { icon: '●', style: 'cyan' };
const WAITING: Mark = { icon: '○', style: 'gray' };
const NEEDS_YOU: Mark = { icon: '!', style: 'yellow' };
const BAD: Mark = { icon: '✗', style: 'red' };
const OVER: Mark = { icon: '–', style: 'gray' };

/** The statuses of stories, tasks, releases, incidents, agents, healths and outcomes share this one look. */
const MARKS: Readonly<Record<string, Mark>> = {
  received: WAITING,
  created: WAITING,
  queued: WAITING,
  unknown: WAITING,
  planning: MOVING,
  running: MOVING,
  assigned: MOVING,
  in_progress: MOVING,
  complete: MOVING,
  verified: MOVING,
  building: MOVING,
  starting: MOVING,
  smoking: MOVING,
  baking: MOVING,
  acting: MOVING,
  watching: MOVING,
  delivered: DONE,
  deployed: DONE,
  live: DONE,
  healthy: DONE,
  online: DONE,
  passed: DONE,
  resolved: DONE,
  ok: DONE,
  blocked: NEEDS_YOU,
  could_not_run: NEEDS_YOU,
  warn: NEEDS_YOU,
  escalated: NEEDS_YOU,
  open: BAD,
  failed: BAD,
  unhealthy: BAD,
  refused: BAD,
  lost: BAD,
  fail: BAD,
  cancelled: OVER,
  superseded: OVER,
  stopped: OVER,
  rolled_back: OVER,
  muted: OVER,
};

/** Icon and colour of a status; one that is not known here is shown without either. */
export function statusMark(status: string): Mark {
  return MARKS[status] ?? { icon: ' ', style: 'reset' };
}
