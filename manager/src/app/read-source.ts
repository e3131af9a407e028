import type { JobPayload } from '@dbox/contracts';
import { ProblemError } from '@dbox/contracts';
import type { BundleFile } from '../ports/repositories.ts';
import type { AppContext } from './context.ts';
import { loadHeldJob } from './job-steps.ts';

/** The commit a job works on; null where the project is still empty. */
export async function readJobSource(
  context: AppContext,
  claim: { readonly jobId: string; readonly fence: number },
  have: string | null,
): Promise<BundleFile | null> {
  const job = await context.store.read((reader) => loadHeldJob(reader, claim));
  const { payload, project } = job;
  if (payload.kind === 'check') throw new ProblemError('not_found', `a check job has no source`);
  const commit = payload.kind === 'code' ? payload.startCommit : payload.commit;
  if (commit === null || project === null) return null;
  return context.repositories.bundle({ project, commit, main: mainBeside(payload), have });
}

/** A coder may fall back to main, and a tester compares with it; neither need be in the commit's own history. */
function mainBeside(payload: JobPayload): string | null {
  if (payload.kind === 'code') return payload.mainCommit;
  return payload.kind === 'test' ? payload.baseCommit : null;
}

export async function readReleaseSource(context: AppContext, releaseId: string): Promise<BundleFile> {
  const release = await context.store.read((reader) => reader.releases.get(releaseId));
  if (!release) throw new ProblemError('not_found', `there is no release ${releaseId}`);
  return context.repositories.bundle({ project: release.project, commit: release.commit, have: null });
}

export async function readMainBundle(context: AppContext, name: string): Promise<BundleFile> {
  const project = await context.store.read((reader) => reader.projects.get(name));
  if (!project || project.removedAt !== null)
    throw new ProblemError('not_found', `there is no project ${name}`);
  if (project.mainCommit === null) throw new ProblemError('conflict', `project ${name} has no code yet`);
  return context.repositories.bundle({ project: name, commit: project.mainCommit, have: null });
}

/** What an attempt changed against what it started from. */
export async function readTaskDiff(
  context: AppContext,
  taskId: string,
  n: number | undefined,
): Promise<string> {
  const task = await context.store.read((reader) => reader.tasks.get(taskId));
  if (!task) throw new ProblemError('not_found', `there is no task ${taskId}; \`dbox tasks\` lists them`);
  const attempt =
    n === undefined
      ? task.attempts.findLast((one) => one.commit !== null)
      : task.attempts.find((one) => one.n === n);
  if (!attempt) {
    throw new ProblemError(
      'not_found',
      n === undefined
        ? `task ${taskId} has no attempt with a commit yet`
        : `task ${taskId} has no attempt ${n}; it has ${task.attempts.length}`,
    );
  }
  if (attempt.commit === null)
    throw new ProblemError('not_found', `attempt ${attempt.n} of ${taskId} made no commit`);
  return context.repositories.diff({ project: task.project, from: attempt.baseCommit, to: attempt.commit });
}
