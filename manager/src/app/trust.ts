import type { ProjectRecord, TaskRecord } from '../ports/records.ts';
import type { StoreReader } from '../ports/store.ts';

/**
 * Whether everything in a task's commit was written by the box's own template engine, so that it
 * may run on a host without a sandbox. An imported project or one foreign attempt that landed ends it.
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
  return others.every((other) => other.integration !== 'landed' || other.engine === 'template');
}
