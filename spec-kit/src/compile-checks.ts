import { createHash } from 'node:crypto';
import type { Check, Criterion, TaskSpec } from '@dbox/contracts';

/**
 * The checks of a task, all `proposed`. The same criterion of the same project always gets the same
 * id, whichever task it comes from, so a check that is asked for twice is one check.
 */
export function compileChecks(input: { readonly project: string; readonly spec: TaskSpec }): Check[] {
  const checks = new Map<string, Check>();
  for (const criterion of input.spec.acceptance) {
    const id = checkId(input.project, criterion);
    if (!checks.has(id)) {
      checks.set(id, { id, project: input.project, taskId: input.spec.id, criterion, status: 'proposed' });
    }
  }
  return [...checks.values()];
}

function checkId(project: string, criterion: Criterion): string {
  const hash = createHash('sha256').update(canonicalJson({ project, criterion })).digest('hex');
  return `chk_${hash.slice(0, 12)}`;
}

/** JSON with the keys of every object in code unit order and no white space. */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`;
}
