import type { TaskStatus } from '@dbox/contracts';
import { ProblemError } from '@dbox/contracts';
import { moveIncident } from '../domain/lifecycles.ts';
import type { IncidentState, RepairStep } from '../domain/repair-policy.ts';
import { MAX_RESTARTS, nextStep } from '../domain/repair-policy.ts';
import type { IncidentRecord, ReleaseRecord, TaskRecord } from '../ports/records.ts';
import type { StoreTransaction } from '../ports/store.ts';
import type { AppContext } from './context.ts';
import { now, record, transact } from './context.ts';
import { earlierReleases, rollBack } from './roll-back.ts';
import { rollUp } from './story-steps.ts';
import { assignTask } from './task-steps.ts';

interface Symptom {
  readonly releaseId: string;
  /** A failing check's id, or `process`. */
  readonly fingerprint: string;
  readonly detail: string;
  /** The process was started again and again already. */
  readonly restartsSpent: boolean;
}

const UNDER_REPAIR: readonly TaskStatus[] = ['assigned', 'in_progress', 'complete', 'verified'];

/**
 * One round of a failing live release: opens its incident, or takes the next step of the ladder
 * where the last one has had its time. One incident an environment, whatever fails in it.
 */
export async function actOnIncident(context: AppContext, symptom: Symptom): Promise<void> {
  const chosen = await transact(context, async (tx) => {
    const release = await tx.releases.get(symptom.releaseId);
    if (release?.status !== 'live') return null;
    // A rollback under way is an answer that has not shown yet.
    if ((await tx.projects.get(release.project))?.work?.kind === 'rollback') return null;
    const key = { project: release.project, environment: release.environment };
    const open = (await tx.incidents.listOpenOfEnvironment(key))[0];
    const incident = open ?? (await openIncident(context, tx, release, { ...symptom, actor: 'monitoring' }));
    if (incident.status === 'escalated') return null;
    const rounds = (context.observations.roundsSinceAction.get(incident.id) ?? 0) + 1;
    context.observations.roundsSinceAction.set(incident.id, rounds);
    const task = release.taskId === null ? null : await tx.tasks.get(release.taskId);
    // A repair under way needs longer than a few rounds; its end moves the task on.
    if (task && UNDER_REPAIR.includes(task.status) && task.integration !== 'landed') return null;
    const step = nextStep(await stateOf(tx, incident, release, task, rounds, symptom.restartsSpent));
    if (step.do === 'wait') return null;
    // Taken in the rollback's own transaction: dying in between must not make it look as if it had been tried.
    if (step.do === 'rollback') return { incident, release };
    context.observations.roundsSinceAction.set(incident.id, 0);
    await take(context, tx, { incident, release, task, step, symptom });
    return null;
  });
  if (chosen) await rollBackFor(context, chosen.incident, chosen.release, symptom);
}

export async function openIncident(
  context: AppContext,
  tx: StoreTransaction,
  release: ReleaseRecord,
  symptom: Pick<Symptom, 'fingerprint' | 'detail'> & { readonly actor: string },
): Promise<IncidentRecord> {
  const incident = await tx.incidents.insert({
    id: context.ids.next('inc'),
    project: release.project,
    environment: release.environment,
    releaseId: release.id,
    fingerprint: symptom.fingerprint,
    status: 'open',
    detail: symptom.detail.slice(0, 2000),
    actions: [],
    openedAt: now(context),
    resolvedAt: null,
    version: 1,
  });
  await record(context, tx, {
    actor: symptom.actor,
    type: 'incident.open',
    subject: `incident/${incident.id}`,
    data: {
      project: release.project,
      environment: release.environment,
      release: release.id,
      fingerprint: symptom.fingerprint,
      detail: symptom.detail.slice(0, 1000),
    },
  });
  return incident;
}

async function stateOf(
  tx: StoreTransaction,
  incident: IncidentRecord,
  release: ReleaseRecord,
  task: TaskRecord | null,
  roundsSinceAction: number,
  restartsSpent: boolean,
): Promise<IncidentState> {
  const count = (action: RepairStep['do']) => incident.actions.filter((one) => one.action === action).length;
  const good = (await earlierReleases(tx, release)).some((one) => one.status === 'superseded');
  return {
    restarts: restartsSpent ? MAX_RESTARTS : count('restart'),
    rolledBack: count('rollback') > 0,
    repairs: count('repair'),
    // A process that gave up has had its time already.
    roundsSinceAction: restartsSpent ? Number.MAX_SAFE_INTEGER : roundsSinceAction,
    hasEarlierRelease: good,
    cannotRepair: whyNotRepairable(task),
  };
}

/** The template engine builds and cannot repair; a script can as long as it has an attempt left. */
function whyNotRepairable(task: TaskRecord | null): string | null {
  const scripted = task?.spec.inputs.find((input) => input.type === 'scripted');
  if (!task || !scripted)
    return 'the template engine made this release and cannot repair it: a person is needed, or a model';
  if (task.status !== 'deployed') return `task ${task.id} is ${task.status}: a person is needed`;
  return scripted.attempts.length > task.attemptCount
    ? null
    : 'no recorded attempt is left that could repair it: a person is needed';
}

async function take(
  context: AppContext,
  tx: StoreTransaction,
  given: {
    readonly incident: IncidentRecord;
    readonly release: ReleaseRecord;
    readonly task: TaskRecord | null;
    readonly step: RepairStep;
    readonly symptom: Symptom;
  },
): Promise<void> {
  const { release, task, step, symptom } = given;
  const detail = step.do === 'escalate' ? step.why : symptom.detail.slice(0, 500);
  await noteAction(context, tx, given.incident, { action: step.do, release: release.id, detail });
  if (step.do === 'restart') {
    await tx.releases.save({ ...release, generation: release.generation + 1 });
    await tx.topology.bump();
  }
  if (step.do === 'repair' && task) {
    await assignTask(
      context,
      tx,
      { ...task, attemptLimit: task.attemptCount + 1 },
      {
        actor: 'system',
        startCommit: null,
        evidence: { reason: `the live release fails: ${symptom.detail.slice(0, 2000)}`, verdict: null },
      },
    );
    await rollUp(context, tx, task.storyId, 'system');
  }
}

export async function noteAction(
  context: AppContext,
  tx: StoreTransaction,
  incident: IncidentRecord,
  taken: { readonly action: RepairStep['do']; readonly release: string; readonly detail: string },
): Promise<void> {
  const { action, detail } = taken;
  const acted: IncidentRecord = {
    ...incident,
    actions: [...incident.actions, { at: now(context), action, detail }],
  };
  const isLast = action === 'escalate';
  await tx.incidents.save(
    isLast ? moveIncident(acted, 'escalated') : moveIncident(moveIncident(acted, 'acting'), 'watching'),
  );
  await record(context, tx, {
    actor: 'system',
    type: isLast ? 'incident.escalated' : 'incident.acting',
    subject: `incident/${incident.id}`,
    data: { action, release: taken.release, detail },
  });
}

async function rollBackFor(
  context: AppContext,
  { id, detail }: IncidentRecord,
  release: ReleaseRecord,
  symptom: Symptom,
): Promise<void> {
  try {
    await rollBack(context, {
      project: release.project,
      environment: release.environment,
      releaseId: undefined,
      fromReleaseId: release.id,
      actor: 'system',
      why: `incident ${id}: ${detail.slice(0, 500)}`,
      also: async (tx) => {
        const present = await tx.incidents.get(id);
        if (!present || !['open', 'acting', 'watching'].includes(present.status)) {
          throw new ProblemError('conflict', `incident ${id} is settled`);
        }
        const taken = {
          action: 'rollback',
          release: release.id,
          detail: symptom.detail.slice(0, 500),
        } as const;
        await noteAction(context, tx, present, taken);
      },
    });
    context.observations.roundsSinceAction.set(id, 0);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    // Something else is being released: the next round asks again.
    context.log('warn', `rollback for incident ${id} must wait`, { why: error.message });
  }
}
