import type { AppContext } from './context.ts';
import { transact } from './context.ts';
import { isLanded } from './story-steps.ts';
import { assignTask, blockDependents } from './task-steps.ts';

/** Gives every task whose dependencies are in main to the coders. Returns how many. */
export async function startReadyTasks(context: AppContext): Promise<number> {
  const created = await context.store.read((reader) => reader.tasks.listCreated());
  let started = 0;
  for (const { id } of created) {
    started += await transact(context, async (tx) => {
      const task = await tx.tasks.get(id);
      if (task?.status !== 'created') return 0;
      for (const dependency of task.dependsOn) {
        const needed = await tx.tasks.get(dependency);
        if (needed && isLanded(needed)) continue;
        if (needed && ['failed', 'cancelled', 'rolled_back'].includes(needed.status)) {
          await blockDependents(context, tx, needed, 'system');
        }
        return 0;
      }
      await assignTask(context, tx, task, { actor: 'system', startCommit: null, evidence: null });
      return 1;
    });
  }
  return started;
}
