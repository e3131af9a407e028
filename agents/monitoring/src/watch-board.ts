import type { Clock } from '@dbox/agent-sdk';
import type { Watch } from '@dbox/contracts';
import type { RunRound, WatchSchedule } from './watch-schedule.ts';
import { startWatchSchedule } from './watch-schedule.ts';

/** All watches, one schedule each. Without a watch there is no schedule, so no timer. */
export interface WatchBoard {
  /** Starts, changes and ends schedules so that exactly these watches are kept. */
  apply(watches: readonly Watch[]): void;
  /** Resolves once every round has ended. Nothing starts after it. */
  stop(): Promise<void>;
}

export function createWatchBoard(o: {
  readonly clock: Clock;
  readonly warn: (message: string, data: object) => void;
  /** The rounds of one release; called once for each that is newly watched. */
  readonly openRounds: (releaseId: string) => RunRound;
}): WatchBoard {
  const schedules = new Map<string, WatchSchedule>();
  const ending = new Set<Promise<void>>();
  let isStopped = false;

  function end(key: string, schedule: WatchSchedule): void {
    schedules.delete(key);
    const ended = schedule.stop().finally(() => ending.delete(ended));
    ending.add(ended);
  }

  return {
    apply(watches) {
      if (isStopped) return;
      const wanted = new Map(watches.map((watch) => [keyOf(watch), watch]));
      for (const [key, schedule] of schedules) if (!wanted.has(key)) end(key, schedule);
      for (const [key, watch] of wanted) {
        const schedule = schedules.get(key);
        if (schedule) schedule.update(watch);
        else {
          const runRound = o.openRounds(watch.releaseId);
          schedules.set(key, startWatchSchedule({ watch, runRound, clock: o.clock, warn: o.warn }));
        }
      }
    },
    async stop() {
      isStopped = true;
      for (const [key, schedule] of schedules) end(key, schedule);
      await Promise.all(ending);
    },
  };
}

/** Another release is another watch: its first round is at once, and its output is read from its start. */
function keyOf(watch: Watch): string {
  return `${watch.project}/${watch.environment}/${watch.releaseId}`;
}
