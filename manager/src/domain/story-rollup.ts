import type { StoryStatus, TaskStatus } from '@dbox/contracts';

export interface RolledUpTask {
  readonly id: string;
  readonly status: TaskStatus;
  readonly landed: boolean;
  readonly reason: string | null;
}

/** What a running story has come to, from its tasks alone. A failure shows once nothing else can move. */
export function rollUpStory(tasks: readonly RolledUpTask[]): { status: StoryStatus; reason: string | null } {
  const moving = tasks.some(
    (task) =>
      !task.landed && ['created', 'assigned', 'in_progress', 'complete', 'verified'].includes(task.status),
  );
  if (moving) return { status: 'running', reason: null };
  const first = (status: TaskStatus) => tasks.find((task) => task.status === status);
  const failed = first('failed');
  if (failed)
    return { status: 'failed', reason: `task ${failed.id} failed: ${failed.reason ?? 'no reason was kept'}` };
  const blocked = first('blocked');
  if (blocked) {
    return {
      status: 'blocked',
      reason: `task ${blocked.id} waits: ${blocked.reason ?? 'no reason was kept'}`,
    };
  }
  if (tasks.every((task) => task.landed)) return { status: 'delivered', reason: null };
  return { status: 'cancelled', reason: 'cancelled by a person' };
}
