import type { DesiredRelease } from '@dbox/contracts';
import { createLock, type Lock } from './lock.ts';
import type { ReleaseOutput } from './release-output.ts';
import { type Failures, NO_FAILURES } from './restart-policy.ts';
import type { ReleaseExit, RunningRelease } from './targets/target.ts';

/**
 * One release as this agent knows it. Whatever starts, stops or removes it does so under its lock, so
 * there is one process at most, whoever asks: the topology, a deploy job, or both at once.
 */
export interface HostedRelease {
  readonly releaseId: string;
  readonly lock: Lock;
  readonly output: ReleaseOutput;
  running: RunningRelease | null;
  /** What the manager wants of it; null where it does not list it. */
  desired: DesiredRelease | null;
  /** The deploy job that has it or waits for it; aborting makes it let go. */
  job: AbortController | null;
  /** A start by the supervisor that is under way; aborting makes it let go. */
  startUnderWay: AbortController | null;
  /** The newest generation acted on; null where the process is none that the topology asked for. */
  generationDone: number | null;
  failures: Failures;
  hasGivenUp: boolean;
  restartDueAtMs: number;
  heldUntilMs: number;
  warmSinceMs: number | null;
  hasServed: boolean;
  /** Ends the wait for the next look at it. */
  wake: AbortController | null;
  isLookQueued: boolean;
  /** A former life has started it, and no revision has said yet whether it is wanted. */
  isTakenBack: boolean;
  /** How it ended between two lives of this agent; until the first revision says whether that matters. */
  endedAway: ReleaseExit | null;
}

export function createHostedRelease(releaseId: string, output: ReleaseOutput): HostedRelease {
  return {
    releaseId,
    lock: createLock(),
    output,
    running: null,
    desired: null,
    job: null,
    startUnderWay: null,
    generationDone: null,
    failures: NO_FAILURES,
    hasGivenUp: false,
    restartDueAtMs: Number.NEGATIVE_INFINITY,
    heldUntilMs: Number.NEGATIVE_INFINITY,
    warmSinceMs: null,
    hasServed: false,
    wake: null,
    isLookQueued: false,
    isTakenBack: false,
    endedAway: null,
  };
}
