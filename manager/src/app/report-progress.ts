import type { ReleaseStatus } from '@dbox/contracts';
import { moveRelease } from '../domain/lifecycles.ts';
import type { AppContext } from './context.ts';
import { record, transact } from './context.ts';
import { loadHeldJob } from './job-steps.ts';

const ORDER: readonly ReleaseStatus[] = ['queued', 'building', 'starting', 'smoking'];

/** What a job does now, as an event for whoever watches; a deploy job moves its release forward with it. */
export async function reportProgress(
  context: AppContext,
  claim: { readonly jobId: string; readonly fence: number },
  progress: { readonly action: string; readonly phase?: 'building' | 'starting' | 'smoking' | undefined },
): Promise<void> {
  await transact(context, async (tx) => {
    const job = await loadHeldJob(tx, claim);
    await record(context, tx, {
      actor: `agent/${job.agentId}`,
      type: 'job.progress',
      subject: `job/${job.id}`,
      data: {
        task: job.taskId,
        release: job.releaseId,
        action: progress.action,
        phase: progress.phase ?? null,
      },
    });
    const release = job.kind === 'deploy' && job.releaseId ? await tx.releases.get(job.releaseId) : null;
    const phase = progress.phase;
    // A late or repeated report never moves a release back.
    if (
      release &&
      phase &&
      ORDER.includes(release.status) &&
      ORDER.indexOf(phase) > ORDER.indexOf(release.status)
    ) {
      await tx.releases.save(moveRelease(release, phase));
      await record(context, tx, {
        actor: `agent/${job.agentId}`,
        type: `release.${phase}`,
        subject: `release/${release.id}`,
        data: {
          project: release.project,
          environment: release.environment,
          commit: release.commit,
          task: release.taskId,
        },
      });
    }
  });
  context.observations.actions.set(claim.jobId, progress.action);
}
