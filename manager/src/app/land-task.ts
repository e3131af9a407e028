import type { CheckRecord, ProjectRecord, TaskRecord } from '../ports/records.ts';
import type { StoreTransaction } from '../ports/store.ts';
import type { AppContext } from './context.ts';
import { record } from './context.ts';
import { rollUp } from './story-steps.ts';
import { evidenceOf } from './task-evidence.ts';

/** Main becomes the candidate, the task's checks go on duty, and its story moves on. */
export async function landTask(
  context: AppContext,
  tx: StoreTransaction,
  landing: {
    readonly project: ProjectRecord;
    readonly task: TaskRecord;
    readonly mainCommit: string;
    readonly actor: string;
  },
): Promise<void> {
  const { project, task, mainCommit, actor } = landing;
  await tx.projects.save({ ...project, mainCommit, work: null });
  await record(context, tx, {
    actor,
    type: 'main.moved',
    subject: `project/${project.name}`,
    data: { from: project.mainCommit, to: mainCommit, task: task.id },
  });
  const landed = await tx.tasks.save({
    ...task,
    integration: 'landed',
    integrationOrder: null,
    commit: mainCommit,
    reason: null,
  });
  const retires = new Set(task.spec.retires);
  for (const check of await tx.checks.listOfProject(project.name)) {
    const to = retires.has(check.id) ? 'retired' : evidenceOf(landed).owns(check) ? 'live' : check.status;
    if (to === check.status) continue;
    await saveCheckStatus(context, tx, check, { to, actor, task: task.id });
  }
  await rollUp(context, tx, task.storyId, actor);
}

/** What a check stands for changes only with an event that says by what. */
export async function saveCheckStatus(
  context: AppContext,
  tx: StoreTransaction,
  check: CheckRecord,
  change: { readonly to: CheckRecord['status']; readonly actor: string } & Readonly<Record<string, string>>,
): Promise<void> {
  const { to, actor, ...because } = change;
  await tx.checks.save({ ...check, status: to });
  await record(context, tx, {
    actor,
    type: `check.${to}`,
    subject: `check/${check.id}`,
    data: { project: check.project, ...because },
  });
}
