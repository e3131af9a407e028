import type { DesiredRelease } from '@dbox/contracts';

/** A warm release is a quick rollback; it goes once a rollback to it is no longer likely. */
export const WARM_FOR_MS = 600_000;
/** What has just lost the traffic ends its requests first, also where it is not to stay warm. */
export const DRAIN_MS = 10_000;

/** All that bears on what to do next about one release. Instants are of a clock that never jumps. */
export interface ReleaseFacts {
  /** Null: the manager does not list it (any more). */
  readonly desired: DesiredRelease['state'] | null;
  readonly isRunning: boolean;
  /** The manager asks for a restart that was not done yet. */
  readonly wantsRestart: boolean;
  readonly hasGivenUp: boolean;
  /** Until then an exited live release is not started again. */
  readonly restartDueAtMs: number;
  /** A deploy job has just made it; until then the manager may not list it as live yet. */
  readonly heldUntilMs: number;
  /** When it lost the traffic; null while it has it. */
  readonly warmSinceMs: number | null;
  /** It had the traffic in this life of the agent, so there may be requests on it still. */
  readonly hasServed: boolean;
}

export type NextStep =
  | { readonly kind: 'start' | 'restart' | 'stop' | 'remove' }
  /** Nothing now; look again at that instant, or when something happens where it is null. */
  | { readonly kind: 'wait'; readonly untilMs: number | null };

export function nextStep(facts: ReleaseFacts, nowMs: number): NextStep {
  const wait = (untilMs: number | null): NextStep => ({ kind: 'wait', untilMs });
  if (facts.desired === 'live') {
    if (facts.wantsRestart) return { kind: facts.isRunning ? 'restart' : 'start' };
    if (facts.isRunning || facts.hasGivenUp) return wait(null);
    return nowMs < facts.restartDueAtMs ? wait(facts.restartDueAtMs) : { kind: 'start' };
  }
  if (nowMs < facts.heldUntilMs) return wait(facts.heldUntilMs);
  if (facts.desired !== null && facts.isRunning) {
    const forMs = facts.desired === 'warm' ? WARM_FOR_MS : facts.hasServed ? DRAIN_MS : 0;
    const endsAtMs = (facts.warmSinceMs ?? nowMs) + forMs;
    return nowMs < endsAtMs ? wait(endsAtMs) : { kind: 'stop' };
  }
  if (facts.isRunning) return { kind: 'stop' };
  return facts.desired === null ? { kind: 'remove' } : wait(null);
}
