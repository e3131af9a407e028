import { ProblemError } from '@dbox/contracts';
import type { AppContext } from '../app/context.ts';
import { endOverdueJobs, endPoisonJobs } from '../app/end-overdue-jobs.ts';
import { rescueExpiredLeases } from '../app/rescue-expired-leases.ts';

/** A turn that comes so late was kept back: the store was out, the machine slept, or the clock was set. */
const LATE_MS = 5_000;

/**
 * Gives the jobs of dead agents on. After its own start, an outage of the store or a jump of the
 * clock it rescues nothing for one full lease: agents may be alive and just were not heard.
 */
export class LeaseRescue {
  private readonly context: AppContext;
  private lastTurnMs: number | null = null;
  private quietUntilMs = 0;

  constructor(context: AppContext) {
    this.context = context;
  }

  async tick(): Promise<void> {
    const { clock, settings } = this.context;
    const nowMs = clock.nowMs();
    const sinceMs = this.lastTurnMs === null ? Number.POSITIVE_INFINITY : nowMs - this.lastTurnMs;
    if (sinceMs > LATE_MS || sinceMs < 0) this.quietUntilMs = nowMs + settings.leaseDurationMs;
    try {
      // Reads the store, so it throws while that is out.
      await endOverdueJobs(this.context);
      if (nowMs >= this.quietUntilMs) {
        await endPoisonJobs(this.context);
        await rescueExpiredLeases(this.context);
      }
    } catch (error) {
      // Beats went unheard, however short it was: the next turn is as the first one.
      if (error instanceof ProblemError && error.code === 'store_unavailable') this.lastTurnMs = null;
      throw error;
    }
    this.lastTurnMs = nowMs;
  }
}
