import type { ProjectRecord, TaskRecord } from '../ports/records.ts';
import type { StoreReader } from '../ports/store.ts';

/**
 * Whether everything in a task's commit was written by the box's own template engine, so that it
 * may run on a host without a sandbox. An imported project or one foreign attempt, whatever became of it, ends it.
 */
export async function isTrusted(
  reader: StoreReader,
  project: ProjectRecord,
  task: TaskRecord,
): Promise<boolean> {
  if (
    project.origin !== 'story' ||
    task.attempts.some((attempt) => (attempt.engine ?? 'template') !== 'template')
  ) {
    return false;
  }
  const others = await reader.tasks.listOfProject(project.name);
  // Also what landed and is under repair, was rolled back or cancelled since: its code may be in main.
  return others.every((other) =>
    other.attempts.every((attempt) => attempt.commit === null || attempt.engine === 'template'),
  );
}
