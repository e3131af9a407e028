import type { AgentKind, JobKind, Lease } from '@dbox/contracts';
import { KINDS_OF_AGENT, ProblemError } from '@dbox/contracts';
import { holdsLease } from '../domain/job-lifecycle.ts';
import { moveTask } from '../domain/lifecycles.ts';
import { isoOf } from '../ports/clock.ts';
import type { JobRecord } from '../ports/records.ts';
import type { AppContext } from './context.ts';
import { now, record, transact } from './context.ts';
import type { LeaseDesk } from './lease-desk.ts';
import { requeue } from './rescue-expired-leases.ts';

/**
 * Waits for a job of these kinds and leases it; null where none came in time. A lease whose answer
 * is lost simply expires.
 */
export async function leaseJob(
  context: AppContext,
  desk: LeaseDesk,
  request: {
    readonly agentKind: AgentKind;
    readonly agentId: string;
    readonly kinds: readonly JobKind[];
    readonly waitMs: number;
    readonly signal: AbortSignal;
  },
): Promise<Lease | null> {
  const foreign = request.kinds.find((kind) => !KINDS_OF_AGENT[request.agentKind].includes(kind));
  if (foreign) {
    throw new ProblemError('forbidden', `a ${request.agentKind} agent may not lease ${foreign} jobs`);
  }
  const deadlineMs = context.clock.nowMs() + request.waitMs;
  for (;;) {
    const ticket = desk.ticket();
    context.observations.agentLastSeenMs.set(request.agentId, context.clock.nowMs());
    const lease = context.observations.warnings.has('disk') ? null : await claim(context, request);
    if (lease) {
      if (!request.signal.aborted) return lease;
      await giveBack(context, lease.job.id, lease.lease.fence);
      return null;
    }
    const woken = await desk.wait(request.kinds, deadlineMs - context.clock.nowMs(), request.signal, ticket);
    if (!woken) return null;
    if (request.signal.aborted) {
      // Woken and gone at once: the turn goes to the next who waits.
      for (const kind of request.kinds) desk.wakeOne(kind);
      return null;
    }
  }
}

async function claim(
  context: AppContext,
  request: { readonly agentId: string; readonly kinds: readonly JobKind[] },
): Promise<Lease | null> {
  const expiresAtMs = context.clock.nowMs() + context.settings.leaseDurationMs;
  const job = await transact(context, async (tx) => {
    const claimed = await tx.jobs.claim({ kinds: request.kinds, agentId: request.agentId, expiresAtMs });
    if (!claimed) return null;
    await record(context, tx, {
      actor: `agent/${request.agentId}`,
      type: 'job.leased',
      subject: `job/${claimed.id}`,
      data: { kind: claimed.kind, fence: claimed.fence, task: claimed.taskId, release: claimed.releaseId },
    });
    if (claimed.kind === 'code' && claimed.taskId) {
      const task = await tx.tasks.get(claimed.taskId);
      if (task?.status === 'assigned') {
        await tx.tasks.save({ ...moveTask(task, 'in_progress'), updatedAt: now(context) });
        await record(context, tx, {
          actor: `agent/${request.agentId}`,
          type: 'task.in_progress',
          subject: `task/${task.id}`,
          data: { story: task.storyId, project: task.project, attempt: task.attemptCount },
        });
      }
    }
    return claimed;
  });
  return job ? leaseOf(context, job, expiresAtMs) : null;
}

function leaseOf(context: AppContext, job: JobRecord, expiresAtMs: number): Lease {
  return {
    job: toWireJob(job),
    payload: job.payload,
    lease: {
      id: `${job.id}.${job.fence}`,
      fence: job.fence,
      expiresAt: isoOf(expiresAtMs),
      token: context.signJobToken({ jobId: job.id, fence: job.fence }),
    },
  };
}

/** The caller left while the claim was committed: the next agent need not wait for the lease to expire. */
async function giveBack(context: AppContext, jobId: string, fence: number): Promise<void> {
  await transact(context, async (tx) => {
    const job = await tx.jobs.get(jobId);
    if (job && holdsLease(job, fence)) await requeue(context, tx, job, 'the agent hung up');
  });
}

export function toWireJob(job: JobRecord): Lease['job'] {
  return {
    id: job.id,
    kind: job.kind,
    project: job.project,
    taskId: job.taskId,
    releaseId: job.releaseId,
    status: job.status,
    fence: job.fence,
    agentId: job.agentId,
    leaseExpiresAt: job.leaseExpiresAtMs === null ? null : isoOf(job.leaseExpiresAtMs),
    createdAt: job.createdAt,
    finishedAt: job.finishedAt,
  };
}
