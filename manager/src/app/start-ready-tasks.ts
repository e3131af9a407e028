import type { TaskRecord } from '../ports/records.ts';
import type { StoreReader } from '../ports/store.ts';
import type { AppContext } from './context.ts';
import { transact } from './context.ts';
import { takeStep } from './step-guard.ts';
import { isLanded } from './story-steps.ts';
import { assignTask, blockDependents } from './task-steps.ts';

/** Gives every task whose dependencies are in main to the coders. Returns how many. */
export async function startReadyTasks(context: AppContext): Promise<number> {
  // Looked at first in a read, so that tasks that wait cost no transaction at each step of others.
  const movable = await context.store.read(async (reader) => {
    const found: string[] = [];
    for (const task of await reader.tasks.listCreated()) {
      const { ready, dead } = await lookAtDependencies(reader, task);
      if (ready || dead) found.push(task.id);
    }
    return found;
  });
  let started = 0;
  for (const id of movable) {
    started += await takeStep(context, { subject: `task/${id}`, doing: 'starting a task' }, () =>
      startOrBlock(context, id),
    );
  }
  return started;
}

async function startOrBlock(context: AppContext, id: string): Promise<number> {
  return transact(context, async (tx) => {
    const task = await tx.tasks.get(id);
    if (task?.status !== 'created') return 0;
    const { ready, dead } = await lookAtDependencies(tx, task);
    if (dead) {
      await blockDependents(context, tx, dead, 'system');
      return 1;
    }
    if (!ready) return 0;
    await assignTask(context, tx, task, { actor: 'system', startCommit: null, evidence: null });
    return 1;
  });
}

async function lookAtDependencies(
  reader: Pick<StoreReader, 'tasks'>,
  task: TaskRecord,
): Promise<{ readonly ready: boolean; readonly dead: TaskRecord | null }> {
  let ready = true;
  for (const id of task.dependsOn) {
    const needed = await reader.tasks.get(id);
    if (needed && isLanded(needed)) continue;
    ready = false;
    if (needed && ['blocked', 'failed', 'cancelled', 'rolled_back'].includes(needed.status)) {
      return { ready, dead: needed };
    }
  }
  return { ready, dead: null };
}
