import type { Finding, TaskSpec } from '@dbox/contracts';

/** A page of YAML is about 3 KB; past this a document is not written by a person. */
export const MAX_SPEC_BYTES = 256 * 1024;

/** Where one spec was read. `path` is within the spec: `dependsOn` is asked for as `['depends_on', 0]`. */
export interface SpecSource {
  readonly file: string;
  /** Position of the nearest thing on this path that was written down, from 1, and its path in the document. */
  locate(path: readonly (string | number)[]): {
    readonly line: number;
    readonly column: number;
    readonly path: string;
  };
}

export interface ReadTaskSpecs {
  /** Specs without errors, in the order they were written, every default filled in. */
  readonly specs: TaskSpec[];
  /** In the order of `specs`, for `checkTaskGraph`. */
  readonly sources: SpecSource[];
  readonly findings: Finding[];
}

/** Reads a document of task specs: one, several after `---`, a list of them, or `tasks: [...]`. Never throws. */
export function readTaskSpecs(_input: { readonly file: string; readonly yaml: string }): ReadTaskSpecs {
  throw new Error('being written');
}
