import type { Event } from '@dbox/contracts';
import type { AppContext } from '../app/context.ts';
import { integrateCandidates } from '../app/integrate-candidates.ts';
import { planStories } from '../app/plan-story.ts';
import { releaseSettings } from '../app/release-settings.ts';
import { startReadyTasks } from '../app/start-ready-tasks.ts';

/** Moves whatever can move: plans stories, starts tasks, brings attempts into main. Ends when nothing does. */
export async function moveWork(context: AppContext): Promise<void> {
  for (let moved = true; moved; ) {
    const planned = await planStories(context);
    const started = await startReadyTasks(context);
    // Before the next candidate, which would keep what a person changed waiting for its tests.
    const released = await releaseSettings(context);
    const integrated = await integrateCandidates(context);
    moved = planned + started + released + integrated > 0;
  }
}

/** Whether there may be something to move after this event. A check's job moves nothing. */
export function movesWork({ type, data }: Pick<Event, 'type' | 'data'>): boolean {
  if (type === 'job.succeeded' || type === 'job.failed') return data.kind !== 'check';
  return (
    type === 'story.received' ||
    type === 'task.created' ||
    type === 'task.rolled_back' ||
    type === 'task.retried' ||
    type === 'plan.made' ||
    type === 'main.moved' ||
    type === 'verdict.given' ||
    type === 'release.refused' ||
    type === 'release.live' ||
    type === 'release.stopped' ||
    type === 'task.failed' ||
    type === 'task.cancelled' ||
    type === 'task.blocked'
  );
}
