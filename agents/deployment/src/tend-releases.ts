import type { Clock } from '@dbox/agent-sdk';
import type { Client, ReleaseObservation } from '@dbox/contracts';
import type { DeploymentTarget } from './targets/target.ts';

const MEASURED_EVERY_MS = 5_000;
/** What nobody knows of is gone well within a minute. */
const SWEPT_EVERY_MS = 20_000;

/** Beside the topology: looks for strays, and tells what the place tells of releases. Never rejects. */
export async function tendReleases(o: {
  readonly client: Client;
  readonly clock: Clock;
  readonly target: DeploymentTarget;
  readonly sweep: () => Promise<void>;
  readonly observe: (observation: ReleaseObservation) => void;
  readonly warn: (message: string, data: object) => void;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { clock, signal } = o;
  const { observer } = o.target;

  async function every(periodMs: number, name: string, work: () => Promise<void>): Promise<void> {
    let isFailing = false;
    while (!signal.aborted) {
      await clock.sleep(periodMs, signal);
      if (signal.aborted) return;
      try {
        await work();
        isFailing = false;
      } catch (error) {
        // Once for a row of failures: an engine that restarts is away for some rounds.
        if (!isFailing && !signal.aborted) o.warn(`${name} failed`, { error: String(error) });
        isFailing = true;
      }
    }
  }

  const loops = [every(SWEPT_EVERY_MS, 'looking for strays', o.sweep)];
  if (observer !== null) {
    loops.push(
      every(MEASURED_EVERY_MS, 'measuring releases', async () => {
        const releases = await observer.measure(signal);
        // The next round has newer figures: nothing is repeated.
        if (releases.length > 0)
          await o.client.call('reportUsage', { body: { releases: [...releases] }, signal });
      }),
      observer.follow({
        signal,
        clock,
        onEvent: (event) => o.observe({ type: 'engine_event', ...event }),
      }),
    );
  }
  await Promise.all(loops);
}
