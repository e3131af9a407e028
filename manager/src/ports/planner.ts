import type { TaskSpec } from '@dbox/contracts';

export interface PlanRequest {
  readonly storyText: string;
  readonly project: string;
  /** Null for a new project. */
  readonly mainCommit: string | null;
  /** Files of main; empty for a new project. */
  readonly files: readonly string[];
  readonly readFile: (path: string) => Promise<string | null>;
  /** Ids that must not be used again. */
  readonly takenTaskIds: ReadonlySet<string>;
}

/** Turns a story into task specs. The same request gives the same plan, so it may be repeated after a crash. */
export interface Planner {
  plan(request: PlanRequest): Promise<readonly TaskSpec[]>;
  /** Names of the templates there are. */
  templates(): Promise<readonly string[]>;
  /** Title-like words of the story from which a project's name is made. */
  nameOf(storyText: string): string;
}
