import type { Finding, TaskSpec } from '@dbox/contracts';
import type { SpecSource } from './task-spec-reader.ts';

/** Duplicate ids, unknown dependencies and cycles of specs that are submitted together. */
export function checkTaskGraph(_input: {
  readonly specs: readonly TaskSpec[];
  /** Where each spec was read, in the order of `specs`; without it findings have no position. */
  readonly sources?: readonly SpecSource[];
  /** Ids of tasks that the project has already. */
  readonly known: Iterable<string>;
}): Finding[] {
  throw new Error('being written');
}
