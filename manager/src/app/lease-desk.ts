import type { JobKind } from '@dbox/contracts';
import type { Clock } from '../ports/clock.ts';
import type { Store } from '../ports/store.ts';

interface Waiter {
  readonly kinds: readonly JobKind[];
  wake(): void;
}

/**
 * Where agents wait for jobs. Each job that becomes queued wakes one waiter of its kind, so sixty
 * idle agents do not run for one job. A woken waiter that leaves without having looked passes its
 * turn on; what is missed all the same is found at the end of the long poll.
 */
export class LeaseDesk {
  private readonly waiters = new Set<Waiter>();
  /** News of each kind, counted: a wake-up that comes while its waiter is still looking must not be lost. */
  private readonly newsOf = new Map<JobKind, number>();
  private news = 0;
  private readonly clock: Clock;
  readonly stop: () => void;

  constructor(store: Store, clock: Clock) {
    this.clock = clock;
    this.stop = store.onCommit((notice) => {
      for (const kind of notice.queuedKinds) this.wakeOne(kind);
    });
  }

  /** To be taken before looking for a job, and shown to `wait`, which then knows what came since. */
  ticket(): number {
    return this.news;
  }

  /** True when a job may be there, false when the time is up or the caller is gone. */
  wait(
    kinds: readonly JobKind[],
    timeoutMs: number,
    signal: AbortSignal,
    ticket: number = this.news,
  ): Promise<boolean> {
    if (signal.aborted || timeoutMs <= 0) return Promise.resolve(false);
    if (kinds.some((kind) => (this.newsOf.get(kind) ?? 0) > ticket)) return Promise.resolve(true);
    return new Promise((resolve) => {
      const finish = (woken: boolean) => {
        this.waiters.delete(waiter);
        cancelTimer();
        signal.removeEventListener('abort', onAbort);
        resolve(woken);
      };
      const onAbort = () => finish(false);
      const waiter: Waiter = { kinds, wake: () => finish(true) };
      const cancelTimer = this.clock.after(timeoutMs, () => finish(false));
      signal.addEventListener('abort', onAbort, { once: true });
      this.waiters.add(waiter);
    });
  }

  /** For a waiter that was woken but could not look, and for jobs that became takeable without a commit. */
  wakeOne(kind: JobKind): void {
    this.newsOf.set(kind, ++this.news);
    for (const waiter of this.waiters) {
      if (waiter.kinds.includes(kind)) {
        waiter.wake();
        return;
      }
    }
  }

  wakeAll(): void {
    for (const waiter of [...this.waiters]) waiter.wake();
  }
}
