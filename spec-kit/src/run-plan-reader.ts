import type { Finding, RunPlan } from '@dbox/contracts';

export interface RunPlanFiles {
  /** The text of `dbox.yaml` at the root of the commit; null where there is none. */
  readonly dboxYaml: string | null;
  /** The text of `package.json` at the root of the commit; null where there is none. */
  readonly packageJson: string | null;
  /** All files of the commit, relative, with `/`. */
  readonly paths: readonly string[];
}

/** How a commit is run. With an `error` among the findings the plan is `nothing` and must not be used. */
export function readRunPlan(_files: RunPlanFiles): { plan: RunPlan; findings: Finding[] } {
  throw new Error('being written');
}
