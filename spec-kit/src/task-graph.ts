import type { Finding, TaskSpec } from '@dbox/contracts';
import { closestWord } from './closest-word.ts';
import type { DocumentPath } from './document-path.ts';
import { formatPath } from './document-path.ts';
import type { FindingText } from './finding-list.ts';
import { createFindingList, quoted } from './finding-list.ts';
import type { SpecSource } from './task-spec-reader.ts';

export interface TaskGraph {
  readonly specs: readonly TaskSpec[];
  /** Where each spec was written, in the order of `specs`; without it findings stand at line 1 of no file. */
  readonly sources?: readonly SpecSource[] | undefined;
  /** Ids of tasks that the project has already, on which the new ones may depend. */
  readonly known: Iterable<string>;
}

/** Duplicate ids, unknown dependencies and cycles of specs that are submitted together. */
export function checkTaskGraph({ specs, sources, known }: TaskGraph): Finding[] {
  const findings: Finding[] = [];
  const report = (index: number, path: DocumentPath, text: FindingText) => {
    const source = sources?.[index];
    const list = createFindingList(source?.file ?? '');
    list.add(source?.locate(path) ?? { line: 1, column: 1, path: formatPath(path) }, text);
    findings.push(...list.sorted());
  };
  const indexOf = new Map<string, number>();
  for (const [index, { id }] of specs.entries()) {
    if (!indexOf.has(id)) indexOf.set(id, index);
    else {
      report(index, ['id'], {
        code: 'duplicate_id',
        message: `The id ${quoted(id)} is given to two tasks.`,
        hint: 'Give each task its own id.',
      });
    }
  }
  const knownIds = new Set(known);
  for (const [index, spec] of specs.entries()) {
    for (const [n, id] of spec.dependsOn.entries()) {
      if (indexOf.has(id) || knownIds.has(id)) continue;
      const near = closestWord(id, [...indexOf.keys(), ...knownIds].slice(0, 1000));
      report(index, ['depends_on', n], {
        code: 'unknown_dependency',
        message: `${quoted(spec.id)} depends on ${quoted(id)}, which is no task here or in the project.`,
        hint:
          near === null ? 'Name a task of these files or of the project.' : `Did you mean ${quoted(near)}?`,
      });
    }
  }
  for (const cycle of findCycles(specs, indexOf)) {
    const first = cycle[0]!;
    const next = specs[cycle[1] ?? first]!.id;
    report(first, ['depends_on', specs[first]!.dependsOn.indexOf(next)], {
      code: 'cycle',
      message: `These tasks wait for each other: ${describeCycle(cycle.map((index) => specs[index]!.id))}.`,
      hint: 'Take one of these dependencies out.',
    });
  }
  return findings;
}

function describeCycle(ids: readonly string[]): string {
  const shown = ids.length <= 10 ? ids : [...ids.slice(0, 9), `… ${ids.length - 9} more`];
  return [...shown, ids[0]].join(' → ');
}

/** One cycle for each edge that closes one, as indexes in the order of dependency. Iterative: graphs may be long. */
function findCycles(specs: readonly TaskSpec[], indexOf: ReadonlyMap<string, number>): number[][] {
  const cycles: number[][] = [];
  const state = new Map<number, 'open' | 'done'>();
  for (const start of specs.keys()) {
    if (state.has(start)) continue;
    const trail = [{ index: start, nextEdge: 0 }];
    state.set(start, 'open');
    while (trail.length > 0) {
      const top = trail.at(-1)!;
      const dependency = specs[top.index]!.dependsOn[top.nextEdge++];
      if (dependency === undefined) {
        state.set(top.index, 'done');
        trail.pop();
        continue;
      }
      const index = indexOf.get(dependency);
      if (index === undefined) continue;
      if (state.get(index) === 'open') {
        const from = trail.findIndex((step) => step.index === index);
        cycles.push(trail.slice(from).map((step) => step.index));
      } else if (!state.has(index)) {
        state.set(index, 'open');
        trail.push({ index, nextEdge: 0 });
      }
    }
  }
  return cycles;
}
