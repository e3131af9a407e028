import type { Answer } from '@dbox/contracts';
import { ProblemError } from '@dbox/contracts';
import { extendLease, holdsLease } from '../domain/job-lifecycle.ts';
import { isoOf } from '../ports/clock.ts';
import type { AppContext } from './context.ts';
import { transact } from './context.ts';
import { leaseGone } from './job-steps.ts';

/** Extends the lease; leaves no event, since nothing happened. */
export async function heartbeatJob(
  context: AppContext,
  claim: { readonly jobId: string; readonly fence: number },
): Promise<NonNullable<Answer<'heartbeatJob'>>> {
  const expiresAtMs = context.clock.nowMs() + context.settings.leaseDurationMs;
  return transact(context, async (tx) => {
    const job = await tx.jobs.get(claim.jobId);
    if (!job) throw new ProblemError('not_found', `there is no job ${claim.jobId}`);
    if (job.status === 'cancelled' && job.fence === claim.fence) {
      return { order: 'cancel' as const, expiresAt: isoOf(expiresAtMs) };
    }
    if (!holdsLease(job, claim.fence)) throw leaseGone(job, claim.fence);
    if (job.agentId) context.observations.agentLastSeenMs.set(job.agentId, context.clock.nowMs());
    const saved = await tx.jobs.save(extendLease(job, expiresAtMs));
    return { order: 'continue' as const, expiresAt: isoOf(saved.leaseExpiresAtMs ?? expiresAtMs) };
  });
}
