import type { Clock } from './clock.ts';
import type { CommandLimits } from './sandbox.ts';
import { type Excess, findExcess, type Usage } from './usage.ts';

/** Bombs and hogs show themselves early. */
export const EAGER_FOR_MS = 5_000;
/** Past this share of a limit a command is watched eagerly again. */
export const BUSY_SHARE = 0.25;

export interface UsageWatch {
  readonly clock: Clock;
  readonly limits: Pick<CommandLimits, 'memoryMb' | 'processes'>;
  readonly eagerlyMs: number;
  readonly calmlyMs: number;
  read(): Usage | null;
  readExactMemoryBytes(): number | null;
  /** Called once; the watch has ended then. */
  onExcess(excess: Excess): void;
}

/** Looks at a command's use until it exceeds a limit or the returned function is called. */
export function watchUsage(watch: UsageWatch): () => void {
  const { clock, limits } = watch;
  const startedAtMs = clock.nowMs();
  let cancel = clock.after(watch.eagerlyMs, look);

  function look(): void {
    const usage = watch.read();
    const excess = usage === null ? null : findExcess(usage, limits, watch.readExactMemoryBytes);
    if (excess !== null) {
      watch.onExcess(excess);
      return;
    }
    const isEager = usage === null || isBusy(usage, limits) || clock.nowMs() - startedAtMs < EAGER_FOR_MS;
    cancel = clock.after(isEager ? watch.eagerlyMs : watch.calmlyMs, look);
  }

  return () => cancel();
}

function isBusy(usage: Usage, limits: UsageWatch['limits']): boolean {
  return (
    usage.processes > limits.processes * BUSY_SHARE ||
    usage.memoryBytes > limits.memoryMb * 1024 * 1024 * BUSY_SHARE
  );
}
