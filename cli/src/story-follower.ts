import type { Event, StoryReport } from '@dbox/contracts';
import { SETTLED_STORY_STATUSES } from '@dbox/contracts/statuses';
import type { BoxConnection } from './box-connection.ts';
import type { Clock } from './clock.ts';
import { followEvents, isPassing } from './event-stream.ts';
import { CliError } from './failure.ts';

/** Events come in bursts, one for each step of a transaction; a burst costs one reading. */
const BURST_MS = 20;
/** While the stream is up a reading without an event is only a safety net. */
const SAFETY_NET_MS = 5_000;
const POLL_MS = 1_000;
/** A restart takes seconds; after this a script should hear that the box is gone. */
const GONE_LIMIT_MS = 120_000;

export interface StoryObserver {
  report(report: StoryReport): void;
  event(event: Event): void;
  /** `down`: the box does not answer; following goes on. */
  connection(state: 'up' | 'down'): void;
}

export interface FollowStory {
  readonly box: BoxConnection;
  readonly clock: Clock;
  readonly storyId: string;
  readonly observer: StoryObserver;
  /** Stop looking; the story goes on. */
  readonly signal: AbortSignal;
}

/** The report once the story has settled, or null where the signal came first. */
export async function followStory(follow: FollowStory): Promise<StoryReport | null> {
  const { box, clock, storyId, observer, signal } = follow;
  const over = new AbortController();
  const bell = createBell();
  const connection = createConnectionNotice(observer);
  let report: StoryReport | null = null;
  let streaming = false;

  const listen = async (): Promise<void> => {
    const after = await firstEventBefore(box, storyId);
    const events = followEvents({
      box,
      clock,
      after,
      signal: AbortSignal.any([signal, over.signal]),
      onConnection: (state) => {
        streaming = state === 'up';
        bell.ring();
      },
    });
    for await (const event of events) {
      if (!concerns(event, storyId, report)) continue;
      observer.event(event);
      bell.ring();
    }
  };

  try {
    report = await readStory(follow, connection);
    if (report === null) return null;
    observer.report(report);
    // Where the stream cannot be had, polling alone still ends the wait.
    listen().catch(() => {
      streaming = false;
    });
    while (!SETTLED_STORY_STATUSES.includes(report.story.status)) {
      await bell.wait(clock, streaming ? SAFETY_NET_MS : POLL_MS, signal);
      await clock.sleep(BURST_MS, signal);
      bell.silence();
      const next: StoryReport | null = await readStory(follow, connection);
      if (next === null) return null;
      report = next;
      observer.report(report);
    }
    return report;
  } finally {
    over.abort();
  }
}

async function readStory(
  { box, clock, storyId, signal }: FollowStory,
  connection: (state: 'up' | 'down') => void,
): Promise<StoryReport | null> {
  let goneSince: number | null = null;
  while (!signal.aborted) {
    try {
      const report = await box.call('getStory', { params: { storyId }, signal });
      connection('up');
      return report;
    } catch (error) {
      if (signal.aborted) return null;
      if (!isPassing(error)) throw error;
      connection('down');
      goneSince ??= clock.now();
      if (clock.now() - goneSince > GONE_LIMIT_MS) {
        throw new CliError('box_unreachable', 'The box went away and did not come back; the story is kept.', {
          hint: `Start it with \`./dbox up\`, then attach again with \`./dbox story --follow ${storyId}\`.`,
          cause: error,
        });
      }
      await clock.sleep(POLL_MS / 2, signal);
    }
  }
  return null;
}

/** So that what happened between submission and listening is shown too. */
async function firstEventBefore(box: BoxConnection, storyId: string): Promise<number | null> {
  const { events } = await box.call('listEvents', { query: { subject: `story/${storyId}`, limit: 1 } });
  const first = events[0];
  return first === undefined ? null : first.seq - 1;
}

function concerns(event: Event, storyId: string, report: StoryReport | null): boolean {
  const { subject, data } = event;
  if (subject === `story/${storyId}` || data.story === storyId) return true;
  if (report === null || data.project === report.project.name) return true;
  return report.tasks.some((task) => subject === `task/${task.id}` || data.task === task.id);
}

function createConnectionNotice(observer: StoryObserver): (state: 'up' | 'down') => void {
  let last: 'up' | 'down' = 'up';
  return (state) => {
    if (state !== last) observer.connection(state);
    last = state;
  };
}

/** A wake-up that is remembered until someone has heard it. */
function createBell(): {
  ring(): void;
  silence(): void;
  wait(clock: Clock, mostMs: number, signal: AbortSignal): Promise<void>;
} {
  let rung = false;
  let waiting: AbortController | null = null;
  return {
    ring: () => {
      rung = true;
      waiting?.abort();
    },
    silence: () => {
      rung = false;
    },
    wait: async (clock, mostMs, signal) => {
      if (rung) return;
      waiting = new AbortController();
      await clock.sleep(mostMs, AbortSignal.any([waiting.signal, signal]));
      waiting = null;
    },
  };
}
