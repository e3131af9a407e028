import type { Check } from '@dbox/contracts';
import { compileChecks } from '@dbox/spec-kit';
import type { TaskRecord } from '../ports/records.ts';

/** What stands as evidence for a task, from the spec in the store: nothing an attempt writes can change it. */
export function evidenceOf(task: TaskRecord): {
  readonly needsTestJob: boolean;
  /** Address and log checks, which only a running release can answer. */
  readonly pendingChecks: number;
  readonly owns: (check: Check) => boolean;
  readonly ownsId: (checkId: string) => boolean;
} {
  const own = compileChecks({ project: task.project, spec: task.spec });
  const ids = new Set(own.map((check) => check.id));
  return {
    needsTestJob: task.spec.tests.length > 0 || own.some((check) => check.criterion.kind === 'command'),
    pendingChecks: own.filter((check) => check.criterion.kind === 'http').length,
    owns: (check) => ids.has(check.id),
    ownsId: (checkId) => ids.has(checkId),
  };
}
