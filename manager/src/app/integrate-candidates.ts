import type { Verdict } from '@dbox/contracts';
import type { ReadRunPlan } from '@dbox/spec-kit';
import { readRunPlan } from '@dbox/spec-kit';
import type { ProjectRecord, TaskRecord } from '../ports/records.ts';
import { enqueueTestJob } from './complete-code.ts';
import type { AppContext } from './context.ts';
import { record, transact } from './context.ts';
import { landTask } from './land-task.ts';
import { beginRelease } from './release-steps.ts';
import { takeStep } from './step-guard.ts';
import { evidenceOf } from './task-evidence.ts';
import { blockTask, changeAttempt, loadProject, reworkTask } from './task-steps.ts';

/**
 * Main moves in one place: one candidate at a time a project. Takes the next attempt that is ready,
 * merges it with a main that has moved, has the merge tested again, and hands it to its release.
 * Returns how many steps were taken.
 */
export async function integrateCandidates(context: AppContext): Promise<number> {
  const { projects, waiting } = await context.store.read(async (reader) => ({
    projects: await reader.projects.list(),
    waiting: await reader.tasks.listWaiting(),
  }));
  const firstOf = new Map<string, TaskRecord>();
  for (const task of waiting) if (!firstOf.has(task.project)) firstOf.set(task.project, task);
  let steps = 0;
  for (const project of projects) {
    if (project.work !== null && project.work.kind !== 'task') continue;
    const tested = project.work?.kind === 'task' ? project.work.taskId : null;
    const next = tested === null ? firstOf.get(project.name) : undefined;
    const taskId = tested ?? next?.id;
    if (taskId === undefined) continue;
    const guard = {
      subject: `integration/${taskId}`,
      doing: `bringing ${taskId} into main`,
      giveUp: (reason: string) => blockCandidate(context, taskId, reason),
    };
    steps += await takeStep(context, guard, () =>
      next ? takeCandidate(context, project, next) : goOnWithTested(context, project, taskId),
    );
  }
  return steps;
}

/** Git or the disk fail again and again: a person is called, and the next candidate has its turn. */
async function blockCandidate(context: AppContext, taskId: string, reason: string): Promise<void> {
  await transact(context, async (tx) => {
    const task = await tx.tasks.get(taskId);
    if (task?.integration !== 'waiting' && task?.integration !== 'tested') return;
    const resumesTo = task.status === 'verified' ? 'verified' : 'complete';
    await blockTask(context, tx, task, { actor: 'system', reason, resumesTo });
  });
}

async function takeCandidate(context: AppContext, project: ProjectRecord, task: TaskRecord): Promise<number> {
  const name = project.name;
  const main = project.mainCommit;
  const attempt = task.commit;
  if (attempt === null) throw new Error(`task ${task.id} waits for main without a commit`);
  const direct =
    main === null ||
    (await context.repositories.isAncestor({ project: name, ancestor: main, descendant: attempt }));
  const merged = direct
    ? ({ outcome: 'merged', commit: attempt } as const)
    : await context.repositories.merge({
        project: name,
        main,
        attempt,
        message: `${task.id}: ${task.title}\n\nDbox-Task: ${task.id}\nDbox-Attempt: ${task.attemptCount}`,
      });
  if (merged.outcome === 'conflict') {
    return whileUnchanged(context, project, task, async (tx, present) => {
      const files = merged.files.slice(0, 50).join(', ');
      await record(context, tx, {
        actor: 'system',
        type: 'candidate.conflict',
        subject: `task/${task.id}`,
        data: { attempt: task.attemptCount, main, commit: attempt, files: merged.files.slice(0, 50) },
      });
      await reworkTask(context, tx, present, {
        actor: 'system',
        reason: `main has moved and the attempt conflicts with it in: ${files}`,
        verdict: null,
        startCommit: main,
      });
    });
  }
  const candidate = merged.commit;
  const retest = !direct && evidenceOf(task).needsTestJob;
  const read = retest ? null : await runPlanOf(context, name, candidate);
  return whileUnchanged(context, project, task, async (tx, present, presentProject) => {
    const working = await tx.projects.save({ ...presentProject, work: { kind: 'task', taskId: task.id } });
    const chosen = { ...present, candidateCommit: candidate };
    await record(context, tx, {
      actor: 'system',
      type: 'candidate.chosen',
      subject: `task/${task.id}`,
      data: { attempt: task.attemptCount, commit: candidate, main, merged: !direct },
    });
    if (read === null) {
      const testing = await tx.tasks.save({ ...chosen, integration: 'testing', hostRepeats: 0 });
      await enqueueTestJob(context, tx, testing, { purpose: 'candidate', commit: candidate });
    } else {
      await release(context, tx, working, chosen, read);
    }
  });
}

async function goOnWithTested(context: AppContext, project: ProjectRecord, taskId: string): Promise<number> {
  const task = await context.store.read((reader) => reader.tasks.get(taskId));
  if (task?.integration !== 'tested' || task.candidateCommit === null) return 0;
  const read = await runPlanOf(context, project.name, task.candidateCommit);
  return transact(context, async (tx) => {
    const present = await tx.tasks.get(taskId);
    if (present?.integration !== 'tested' || present.candidateCommit !== task.candidateCommit) return 0;
    await release(context, tx, await loadProject(tx, project.name), present, read);
    return 1;
  });
}

type Tx = Parameters<Parameters<typeof transact>[1]>[0];

async function release(
  context: AppContext,
  tx: Tx,
  project: ProjectRecord,
  task: TaskRecord,
  { plan, findings }: ReadRunPlan,
): Promise<void> {
  const broken = findings.find((finding) => finding.severity === 'error');
  if (broken) {
    const { file, line, column, message, hint } = broken;
    await sendBack(context, tx, task, `${file}:${line}:${column}: ${message} ${hint}`);
    return;
  }
  if (plan.kind !== 'nothing') {
    await beginRelease(context, tx, { project, task, runPlan: plan });
    return;
  }
  const environment = await tx.environments.get({ project: project.name, name: task.spec.environment });
  if (environment?.liveReleaseId) {
    // Main's tree is always what is live, so it cannot move past what can be offered.
    const reason =
      'the project is live, but this commit has nothing to run any more: keep its dbox.yaml, start script or index.html';
    await sendBack(context, tx, task, reason);
    return;
  }
  if (evidenceOf(task).pendingChecks > 0) {
    const reason =
      'the task has acceptance by address, but its commit has nothing to run: add a `run` or `static` line to dbox.yaml, a start script, or an index.html';
    await sendBack(context, tx, task, reason);
    return;
  }
  await landTask(context, tx, { project, task, mainCommit: task.candidateCommit!, actor: 'system' });
}

/** The commit itself keeps its release from being made: rework, with the reason as the verdict. */
async function sendBack(context: AppContext, tx: Tx, task: TaskRecord, reason: string): Promise<void> {
  const verdict: Verdict = {
    outcome: 'could_not_run',
    cause: 'commit',
    summary: reason,
    checks: [],
    tests: task.attempts.at(-1)?.verdict?.tests ?? [],
    changedTestFiles: [],
  };
  await record(context, tx, {
    actor: 'system',
    type: 'verdict.given',
    subject: `task/${task.id}`,
    data: {
      attempt: task.attemptCount,
      purpose: 'release',
      commit: task.candidateCommit,
      outcome: 'could_not_run',
      summary: reason.slice(0, 2000),
    },
  });
  await reworkTask(context, tx, changeAttempt(task, { verdict }), {
    actor: 'system',
    reason,
    verdict,
    startCommit: task.candidateCommit,
  });
}

/** Runs the step only if project and task are still as they were when git was asked. */
async function whileUnchanged(
  context: AppContext,
  project: ProjectRecord,
  task: TaskRecord,
  step: (tx: Tx, task: TaskRecord, project: ProjectRecord) => Promise<void>,
): Promise<number> {
  return transact(context, async (tx) => {
    const presentProject = await loadProject(tx, project.name);
    const present = await tx.tasks.get(task.id);
    const unchanged =
      presentProject.work === null &&
      presentProject.mainCommit === project.mainCommit &&
      present?.integration === 'waiting' &&
      present.commit === task.commit;
    if (!unchanged) return 0;
    await step(tx, present, presentProject);
    return 1;
  });
}

/** How a commit is run, from its own files, and what is wrong with them. */
async function runPlanOf(context: AppContext, project: string, commit: string): Promise<ReadRunPlan> {
  const read = (path: string) => context.repositories.readFile({ project, commit, path });
  const [paths, dboxYaml, packageJson] = await Promise.all([
    context.repositories.listFiles({ project, commit }),
    read('dbox.yaml'),
    read('package.json'),
  ]);
  return readRunPlan({ dboxYaml, packageJson, paths, containers: context.settings.containers });
}
