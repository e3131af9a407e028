import type { ProjectRecord, ReleaseRecord, TaskRecord } from '../ports/records.ts';
import type { StoreReader, StoreTransaction } from '../ports/store.ts';
import type { AppContext } from './context.ts';
import { record } from './context.ts';
import { withdrawJobs, withdrawReleaseJobs } from './job-steps.ts';
import { saveMovedRelease } from './release-steps.ts';
import { freeProject } from './task-steps.ts';

/** What is on its way into main, or to the traffic with it, and can still be taken off it. */
export interface Candidate {
  /** Null for changed settings, which no task asked for. */
  readonly task: TaskRecord | null;
  /** Where it is being released already. */
  readonly release: ReleaseRecord | null;
}

/** Null where there is none, or where the gateway has been asked to switch to it. */
export async function withdrawableCandidate(
  reader: StoreReader,
  project: ProjectRecord,
): Promise<Candidate | null> {
  if (project.work?.kind === 'settings') {
    const release = await reader.releases.get(project.work.releaseId);
    return release?.status === 'baking' ? null : { task: null, release };
  }
  if (project.work?.kind !== 'task') return null;
  const task = await reader.tasks.get(project.work.taskId);
  if (!task) return null;
  const releaseId = task.integration === 'releasing' ? task.releaseIds.at(-1) : undefined;
  const release = releaseId === undefined ? null : await reader.releases.get(releaseId);
  return release?.status === 'baking' ? null : { task, release };
}

/** Back into the line for main: it is merged with whatever main is then, and tested again. */
export async function putBackCandidate(
  context: AppContext,
  tx: StoreTransaction,
  { task, release }: Candidate,
  actor: string,
): Promise<void> {
  if (release && ['queued', 'building', 'starting', 'smoking'].includes(release.status)) {
    await withdrawReleaseJobs(context, tx, release, actor);
    const reason = 'main was rolled back under it';
    await saveMovedRelease(context, tx, { ...release, reason }, 'stopped', actor);
  }
  // Settings go back with the rollback itself.
  if (!task) return;
  await withdrawJobs(context, tx, task.id, actor);
  await freeProject(tx, task);
  await tx.tasks.save({ ...task, integration: 'waiting', candidateCommit: null, hostRepeats: 0 });
  await record(context, tx, {
    actor,
    type: 'candidate.put_back',
    subject: `task/${task.id}`,
    data: { project: task.project, attempt: task.attemptCount, why: 'main was rolled back under it' },
  });
}
