import type { Readable } from 'node:stream';
import { ProblemError } from '@dbox/contracts';
import { BundleRefusedError } from '../ports/repositories.ts';
import type { AppContext } from './context.ts';
import { record, transact } from './context.ts';
import { loadHeldJob } from './job-steps.ts';

/**
 * Takes an attempt's commit in. What a stale caller sends is refused before it is read, and again
 * before it is confirmed; objects that were taken in between are unreachable and do no harm.
 */
export async function receiveCommit(
  context: AppContext,
  claim: { readonly jobId: string; readonly fence: number },
  body: Readable,
): Promise<{ commit: string }> {
  const job = await context.store.read((reader) => loadHeldJob(reader, claim));
  if (job.payload.kind !== 'code' || job.project === null || job.taskId === null) {
    throw new ProblemError('forbidden', `job ${job.id} is a ${job.kind} job; only code jobs send commits`);
  }
  const { startCommit, mainCommit, attempt } = job.payload;
  const commit = await context.files.withIncoming(body, async (bundlePath) => {
    try {
      return await context.repositories.receive({
        project: job.project!,
        bundlePath,
        starts: [startCommit, mainCommit].filter((one) => one !== null),
        taskId: job.taskId!,
        attempt,
      });
    } catch (cause) {
      if (cause instanceof BundleRefusedError)
        throw new ProblemError('bundle_refused', cause.message, { cause });
      throw cause;
    }
  });
  await transact(context, async (tx) => {
    const held = await loadHeldJob(tx, claim);
    if (held.confirmedCommit === commit) return;
    await tx.jobs.save({ ...held, confirmedCommit: commit });
    await record(context, tx, {
      actor: `agent/${held.agentId}`,
      type: 'commit.received',
      subject: `job/${held.id}`,
      data: { task: held.taskId, attempt, commit, fence: held.fence },
    });
  });
  return { commit };
}
