import type { Clock } from '@dbox/agent-sdk';
import type { ReleaseUsage, RunPlan, Target } from '@dbox/contracts';

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

/** `at`: where in its log the line stands, for `FormerRelease.take`; a target that keeps no log leaves it out. */
export type LineSink = (stream: 'stdout' | 'stderr', line: string, at?: string) => void;

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
  /** Where it never answered: what about it explains that; null where nothing does. */
  readonly whySilent?: string | null;
  /** Never rejects. Resolves once nothing of it runs any more. */
  readonly exited: Promise<ReleaseExit>;
  /** Asks it to end, forces it after `graceMs`, and resolves once nothing of it runs any more. */
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
    options: { readonly marker: string; readonly onLine: LineSink; readonly signal?: AbortSignal },
  ): Promise<RunningRelease>;
  /** The image that was built of it, while it is still there; null where there is none, or the target knows none. */
  findImage(run: ReleaseBuild): Promise<string | null>;
  /** Whether a release runs from its tree. Where not, the tree is only for its build. */
  readonly runsFromTree: boolean;
  /**
   * What a former life of this agent has left under markers that begin so. What cannot be taken over is
   * ended. Before anything is started.
   */
  recover(markerPrefix: string): Promise<readonly FormerRelease[]>;
  /** Releases of which something is there, running or not. */
  listKept(): Promise<readonly { readonly releaseId: string; readonly isRunning: boolean }[]>;
  /** Removes all that is left of a release, ending it first; what survives releases stays. */
  forget(releaseId: string): Promise<void>;
  /** Lets go of builds and services that nothing on this list and no quick rollback needs. */
  keepOnly(wanted: readonly WantedBuild[]): Promise<void>;
  /** Ends what lives on across releases: this agent stops. Releases have ended before. */
  close(): Promise<void>;
  /** What is not as it should be where releases run; a sentence each. */
  warnings(): Promise<readonly string[]>;
  /** What the place itself can tell of releases; null where it tells nothing. */
  readonly observer: TargetObserver | null;
}

export interface WantedBuild {
  readonly project: string;
  readonly environment: string;
  readonly commit: string;
  readonly image: string | null;
  readonly runPlan: RunPlan;
}

/** A release that a former life of this agent has started. */
export interface FormerRelease {
  readonly releaseId: string;
  readonly isRunning: boolean;
  /** Hears what it has printed after `since`, and of its end. Called once. */
  take(options: { readonly since: string | null; readonly onLine: LineSink }): Promise<RunningRelease>;
}

export interface TargetObserver {
  /** Once; of releases that run now. */
  measure(signal: AbortSignal): Promise<readonly ReleaseUsage[]>;
  /** Until the signal is aborted. Never rejects. */
  follow(options: {
    readonly signal: AbortSignal;
    readonly clock: Clock;
    readonly onEvent: (event: { releaseId: string; action: string; detail: string }) => void;
  }): Promise<void>;
}
