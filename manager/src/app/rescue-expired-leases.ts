import { loseLease } from '../domain/job-lifecycle.ts';
import { moveRelease, moveTask } from '../domain/lifecycles.ts';
import type { JobRecord } from '../ports/records.ts';
import type { StoreTransaction } from '../ports/store.ts';
import type { AppContext } from './context.ts';
import { now, record, transact } from './context.ts';

/** Gives every expired lease to the next agent: the same attempt under a new fence. Returns how many. */
export async function rescueExpiredLeases(context: AppContext): Promise<number> {
  const isExpired = (job: JobRecord) => {
    const leftMs = (job.leaseExpiresAtMs ?? 0) - context.clock.nowMs();
    // No lease is that long: it was given before the clock was set back, and cannot be told from a dead one.
    return leftMs <= 0 || leftMs > 2 * context.settings.leaseDurationMs;
  };
  const leased = await context.store.read((reader) => reader.jobs.listLeased());
  let rescued = 0;
  for (const { id, fence } of leased.filter(isExpired)) {
    rescued += await transact(context, async (tx) => {
      const job = await tx.jobs.get(id);
      if (job?.status !== 'leased' || job.fence !== fence || !isExpired(job)) return 0;
      await requeue(context, tx, job, 'the lease expired');
      return 1;
    });
  }
  return rescued;
}

/** Back into the queue, with task and release where the next agent expects them. */
export async function requeue(
  context: AppContext,
  tx: StoreTransaction,
  job: JobRecord,
  why: string,
): Promise<void> {
  await tx.jobs.save({ ...loseLease(job), leaseExpiresAt: null });
  await record(context, tx, {
    actor: 'system',
    type: 'job.lease_lost',
    subject: `job/${job.id}`,
    data: { agent: job.agentId, fence: job.fence, task: job.taskId, release: job.releaseId, why },
  });
  if (job.kind === 'code' && job.taskId) {
    const task = await tx.tasks.get(job.taskId);
    if (task?.status === 'in_progress') {
      await tx.tasks.save({ ...moveTask(task, 'assigned'), updatedAt: now(context) });
    }
  }
  if (job.kind === 'deploy' && job.releaseId) {
    const release = await tx.releases.get(job.releaseId);
    if (release && ['building', 'starting', 'smoking'].includes(release.status)) {
      await tx.releases.save(moveRelease(release, 'queued'));
    }
  }
}
