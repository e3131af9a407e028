import type { TaskSpec } from '@dbox/contracts';

/** YAML that a person can read and `readTaskSpecs` reads back to the same spec. */
export function writeTaskSpec(_spec: TaskSpec): string {
  throw new Error('being written');
}
