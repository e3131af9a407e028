import type { JobStatus } from '@dbox/contracts';
import { moveJob } from './lifecycles.ts';

/** What the lease protocol needs to know of a job; one row, one growing fence, no second lock. */
export interface LeasedJob {
  readonly id: string;
  readonly status: JobStatus;
  readonly fence: number;
  readonly agentId: string | null;
  readonly leaseExpiresAtMs: number | null;
}

/**
 * Whether a call under this fence may still speak for the job. An expired lease that nobody has
 * taken over yet still holds: its work is good until the rescue gives it away.
 */
export function holdsLease(job: LeasedJob, fence: number): boolean {
  return job.status === 'leased' && job.fence === fence;
}

/** From now on: where the clock was set back, an expiry far off must not keep a dead agent's lease alive. */
export function extendLease<J extends LeasedJob>(job: J, expiresAtMs: number): J {
  return { ...job, leaseExpiresAtMs: expiresAtMs };
}

/** The same attempt goes to the next agent under a new fence. */
export function loseLease<J extends LeasedJob>(job: J): J {
  return { ...moveJob(job, 'queued'), agentId: null, leaseExpiresAtMs: null };
}

/** Ends the lease; late calls under its fence are refused from now on. */
export function finishJob<J extends LeasedJob>(job: J, status: 'succeeded' | 'failed' | 'cancelled'): J {
  return { ...moveJob(job, status), leaseExpiresAtMs: null };
}
