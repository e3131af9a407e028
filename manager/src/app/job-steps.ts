import type { JobPayload, Priority } from '@dbox/contracts';
import { ProblemError } from '@dbox/contracts';
import { finishJob, holdsLease } from '../domain/job-lifecycle.ts';
import type { JobRecord } from '../ports/records.ts';
import type { StoreReader, StoreTransaction } from '../ports/store.ts';
import type { AppContext } from './context.ts';
import { now, record } from './context.ts';

const PRIORITY_RANK: Record<Priority, number> = { low: 0, medium: 1, high: 2, critical: 3 };
/** Tests and releases finish what was begun, so they go before new code of the same priority. */
const KIND_RANK: Record<JobPayload['kind'], number> = { code: 0, test: 4, deploy: 8, check: 0 };

export async function enqueueJob(
  context: AppContext,
  tx: StoreTransaction,
  job: {
    readonly payload: JobPayload;
    readonly project: string | null;
    readonly taskId: string | null;
    readonly releaseId?: string;
    readonly priority: Priority;
  },
): Promise<JobRecord> {
  const inserted = await tx.jobs.insert({
    id: context.ids.next('job'),
    kind: job.payload.kind,
    project: job.project,
    taskId: job.taskId,
    releaseId: job.releaseId ?? null,
    status: 'queued',
    fence: 0,
    agentId: null,
    leaseExpiresAt: null,
    createdAt: now(context),
    finishedAt: null,
    payload: job.payload,
    result: null,
    priority: PRIORITY_RANK[job.priority] + KIND_RANK[job.payload.kind],
    leaseExpiresAtMs: null,
    confirmedCommit: null,
    version: 1,
  });
  await record(context, tx, {
    actor: 'system',
    type: 'job.queued',
    subject: `job/${inserted.id}`,
    data: { kind: inserted.kind, task: job.taskId, release: job.releaseId ?? null },
  });
  return inserted;
}

/** The job, if the caller's lease still holds; else `lease_gone`, and nothing may be written. */
export async function loadHeldJob(
  reader: Pick<StoreReader, 'jobs'>,
  claim: { readonly jobId: string; readonly fence: number },
): Promise<JobRecord> {
  const job = await reader.jobs.get(claim.jobId);
  if (!job) throw new ProblemError('not_found', `there is no job ${claim.jobId}`);
  if (!holdsLease(job, claim.fence)) throw leaseGone(job, claim.fence);
  return job;
}

export function leaseGone(job: JobRecord, fence: number): ProblemError {
  return new ProblemError(
    'lease_gone',
    `the lease with fence ${fence} of job ${job.id} is gone (the job is ${job.status}, fence ${job.fence}): stop and write nothing`,
  );
}

/** Ends what is queued or leased for a task; whoever works on it learns so at its next heartbeat. */
export async function withdrawJobs(
  context: AppContext,
  tx: StoreTransaction,
  taskId: string,
  actor: string,
): Promise<void> {
  for (const job of await tx.jobs.listOpenOfTask(taskId)) await withdrawJob(context, tx, job, actor);
}

/** The same for one release, also where no task asked for it. */
export async function withdrawReleaseJobs(
  context: AppContext,
  tx: StoreTransaction,
  release: { readonly id: string; readonly project: string },
  actor: string,
): Promise<void> {
  for (const job of await tx.jobs.listOpenOfProject(release.project)) {
    if (job.releaseId === release.id) await withdrawJob(context, tx, job, actor);
  }
}

async function withdrawJob(
  context: AppContext,
  tx: StoreTransaction,
  job: JobRecord,
  actor: string,
): Promise<void> {
  await tx.jobs.save({ ...finishJob(job, 'cancelled'), leaseExpiresAt: null, finishedAt: now(context) });
  await record(context, tx, {
    actor,
    type: 'job.cancelled',
    subject: `job/${job.id}`,
    data: { task: job.taskId, release: job.releaseId },
  });
}
