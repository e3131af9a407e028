import type { RunPlan, Target } from '@dbox/contracts';

/** A plan under which something runs. */
export type RunnablePlan = Exclude<RunPlan, { kind: 'nothing' }>;

/** One commit for one environment, with its files laid out. */
export interface ReleaseBuild {
  readonly releaseId: string;
  readonly project: string;
  readonly environment: string;
  readonly commit: string;
  readonly runPlan: RunnablePlan;
  /** Built before: exactly this is run again. Null: not built yet, or the target knows no images. */
  readonly image: string | null;
  readonly settingsVersion: number;
  /** Host directory of the commit's files; build and run may write to it. */
  readonly tree: string;
}

/** What it is run with is no matter of its build: an image or a tree must hold no secret. */
export interface ReleaseRun extends ReleaseBuild {
  /** The environment's settings in clear: environment variables of the release, and nothing else of it. */
  readonly settings: Readonly<Record<string, string>>;
}

export type LineSink = (stream: 'stdout' | 'stderr', line: string) => void;

export type BuildOutcome =
  /** `image`: the digest of what was built; null where the target knows no images. */
  | { readonly ok: true; readonly image: string | null }
  | {
      readonly ok: false;
      /** `host`: the same commit may build another time or elsewhere. */
      readonly cause: 'commit' | 'host';
      readonly detail: string;
      readonly outputTail: string;
    };

export interface ReleaseExit {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** `host`: it was not the release's doing that it did not start. */
  readonly cause: 'commit' | 'host';
  /** One sentence. */
  readonly detail: string;
}

export interface RunningRelease {
  readonly target: Target;
  /** On the host, so that a later life of the agent can find it; null where the target has no process. */
  readonly pid: number | null;
  /** Never rejects. Resolves once nothing of it is left. */
  readonly exited: Promise<ReleaseExit>;
  /** Asks it to end, forces it after `graceMs`, and resolves once nothing of it is left. */
  stop(graceMs: number): Promise<void>;
}

/** Where releases run: child processes, containers. One suite, `testing/target.testsuite.ts`, holds for all. */
export interface DeploymentTarget {
  /** Why this code may not run here and what to do about it; null where it may. */
  refusal(run: { readonly trusted: boolean; readonly runPlan: RunPlan }): string | null;
  /** Installs what the commit depends on and builds it, in its tree. Rejects only when `signal` is aborted. */
  build(
    run: ReleaseBuild,
    options: { readonly signal: AbortSignal; readonly onLine: LineSink },
  ): Promise<BuildOutcome>;
  /**
   * Starts it, and returns before it listens. `marker` is in the environment of everything it starts.
   * The caller sees to it that a release is started once at a time. Rejects where the host cannot.
   */
  start(
    run: ReleaseRun,
    options: { readonly marker: string; readonly onLine: LineSink },
  ): Promise<RunningRelease>;
  /** Ends what runs under markers that begin so, and clears away what a killed life left open. */
  endLeftovers(markerPrefix: string): Promise<void>;
}
