import { isDeepStrictEqual } from 'node:util';
import type { Answer, JobResult } from '@dbox/contracts';
import { ProblemError } from '@dbox/contracts';
import { finishJob, holdsLease } from '../domain/job-lifecycle.ts';
import type { JobRecord } from '../ports/records.ts';
import type { StoreTransaction } from '../ports/store.ts';
import { completeCode } from './complete-code.ts';
import { completeDeploy } from './complete-deploy.ts';
import { completeTest } from './complete-test.ts';
import type { AppContext } from './context.ts';
import { now, record, transact } from './context.ts';
import { leaseGone } from './job-steps.ts';
import { toWireJob } from './lease-job.ts';

/**
 * Takes a job's result, once. The same result again (its reply was lost) is answered alike; any
 * other, or one under a stale fence, is refused with `lease_gone` and changes nothing. What follows
 * from it is written in the same transaction.
 */
export async function completeJob(
  context: AppContext,
  claim: { readonly jobId: string; readonly fence: number },
  result: JobResult,
): Promise<NonNullable<Answer<'completeJob'>>> {
  const effective = (await refuseWhatProvesNothing(context, claim, result)) ?? result;
  const job = await transact(context, async (tx) => {
    const held = await tx.jobs.get(claim.jobId);
    if (!held) throw new ProblemError('not_found', `there is no job ${claim.jobId}`);
    if (!holdsLease(held, claim.fence)) {
      const repeated = held.fence === claim.fence && isDeepStrictEqual(held.result, result);
      if (repeated) return held;
      throw leaseGone(held, claim.fence);
    }
    if (result.kind !== held.kind) {
      throw new ProblemError(
        'invalid_request',
        `job ${held.id} is a ${held.kind} job; the result is of kind ${result.kind}`,
      );
    }
    const finished = await tx.jobs.save({
      ...finishJob(held, effective.outcome),
      leaseExpiresAt: null,
      finishedAt: now(context),
      result,
    });
    await record(context, tx, {
      actor: `agent/${held.agentId}`,
      type: `job.${effective.outcome}`,
      subject: `job/${held.id}`,
      data: {
        kind: held.kind,
        fence: held.fence,
        task: held.taskId,
        release: held.releaseId,
        ...(effective.outcome === 'failed'
          ? { cause: effective.cause, detail: effective.detail.slice(0, 2000) }
          : {}),
      },
    });
    await follow(context, tx, finished, effective);
    return finished;
  });
  context.observations.actions.delete(claim.jobId);
  return { job: toWireJob(job) };
}

/** What comes of a job that ended so. */
export async function follow(
  context: AppContext,
  tx: StoreTransaction,
  job: JobRecord,
  result: JobResult,
): Promise<void> {
  switch (result.kind) {
    case 'code':
      return completeCode(context, tx, job, result);
    case 'test':
      return completeTest(context, tx, job, result);
    case 'deploy':
      return completeDeploy(context, tx, job, result);
    case 'check':
      return;
  }
}

/** A coder that says "done" without a confirmed commit lies; one whose commit changes nothing has failed. */
async function refuseWhatProvesNothing(
  context: AppContext,
  claim: { readonly jobId: string; readonly fence: number },
  result: JobResult,
): Promise<JobResult | null> {
  if (result.kind !== 'code' || result.outcome !== 'succeeded') return null;
  const job = await context.store.read((reader) => reader.jobs.get(claim.jobId));
  if (!job || !holdsLease(job, claim.fence) || job.payload.kind !== 'code') return null;
  if (job.confirmedCommit !== result.commit) {
    throw new ProblemError(
      'conflict',
      `commit ${result.commit} was not confirmed under this lease; send it with PUT /v1/jobs/${job.id}/commit first`,
    );
  }
  const start = job.payload.startCommit;
  if (start === null || job.project === null) return null;
  const same = await context.repositories.sameTree({ project: job.project, a: start, b: result.commit });
  if (!same) return null;
  return {
    kind: 'code',
    outcome: 'failed',
    engine: result.engine,
    cause: 'commit',
    detail: 'the attempt changed nothing',
  };
}
