import type { JobResult } from '@dbox/contracts';
import { finishJob } from '../domain/job-lifecycle.ts';
import type { JobRecord } from '../ports/records.ts';
import { follow } from './complete-job.ts';
import type { AppContext } from './context.ts';
import { now, record, transact } from './context.ts';

/** What a job may take beside the work itself: checking out, installing, sending back. */
const SLACK_MINUTES = 15;
/** Agents and boxes are killed now and then; five times at the very same job is no accident. */
const MAX_LEASES = 5;
/** For jobs whose task sets no time: a large build and a slow start. */
const OTHERS_MINUTES = 60;

/**
 * Ends jobs whose lease has been kept alive for longer than any honest agent needs: it hangs, or
 * lies. Counted as a fault of the host, so the job is repeated and in the end a person is called.
 * Since when a lease is held is known from this room's own looking; a restart begins anew.
 */
export async function endOverdueJobs(context: AppContext): Promise<number> {
  const { leasedSince } = context.observations;
  const nowMs = context.clock.nowMs();
  const leased = await context.store.read((reader) => reader.jobs.listLeased());
  const present = new Set(leased.map((job) => job.id));
  for (const id of leasedSince.keys()) if (!present.has(id)) leasedSince.delete(id);
  let ended = 0;
  for (const job of leased) {
    const seen = leasedSince.get(job.id);
    if (seen?.fence !== job.fence || seen.sinceMs > nowMs) {
      leasedSince.set(job.id, { fence: job.fence, sinceMs: nowMs });
    } else if (nowMs - seen.sinceMs >= limitMinutes(job) * 60_000) {
      await endJob(
        context,
        job,
        `the agent held the job for more than ${limitMinutes(job)} minutes without an end`,
      );
      ended += 1;
    }
  }
  return ended;
}

/**
 * Ends jobs that have lost one lease after the other: whoever takes such a job dies of it, the box
 * itself perhaps. Also a fault of the host, so a person is called before it goes on for ever.
 */
export async function endPoisonJobs(context: AppContext): Promise<number> {
  const nowMs = context.clock.nowMs();
  const leased = await context.store.read((reader) => reader.jobs.listLeased());
  const poison = leased.filter((job) => job.fence >= MAX_LEASES && (job.leaseExpiresAtMs ?? 0) <= nowMs);
  for (const job of poison)
    await endJob(context, job, `its lease was lost ${job.fence} times, one after the other`);
  return poison.length;
}

function limitMinutes({ payload }: JobRecord): number {
  if (payload.kind === 'code') return payload.task.constraints.maxMinutes + SLACK_MINUTES;
  if (payload.kind === 'test') return payload.maxMinutes + SLACK_MINUTES;
  return OTHERS_MINUTES;
}

async function endJob(context: AppContext, { id, fence }: JobRecord, why: string): Promise<void> {
  await transact(context, async (tx) => {
    const job = await tx.jobs.get(id);
    if (job?.status !== 'leased' || job.fence !== fence) return;
    await record(context, tx, {
      actor: 'system',
      type: 'job.lease_lost',
      subject: `job/${id}`,
      data: { agent: job.agentId, fence, task: job.taskId, release: job.releaseId, why },
    });
    const failed = await tx.jobs.save({
      ...finishJob(job, 'failed'),
      leaseExpiresAt: null,
      finishedAt: now(context),
    });
    await record(context, tx, {
      actor: 'system',
      type: 'job.failed',
      subject: `job/${id}`,
      data: { kind: job.kind, fence, task: job.taskId, release: job.releaseId, cause: 'host', detail: why },
    });
    const result = failureOf(job, why);
    if (result) await follow(context, tx, failed, result);
  });
}

function failureOf({ payload }: JobRecord, detail: string): JobResult | null {
  const failed = { outcome: 'failed', cause: 'host', detail } as const;
  switch (payload.kind) {
    case 'code':
      return { kind: 'code', engine: payload.engine, ...failed };
    case 'test':
      return { kind: 'test', ...failed };
    case 'deploy':
      return { kind: 'deploy', phase: 'building', checks: [], outputTail: '', ...failed };
    case 'check':
      return null;
  }
}
