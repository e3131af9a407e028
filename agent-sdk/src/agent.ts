import type { AgentKind, Attachment, Client, Job, JobPayload, JobResult, LogLine } from '@dbox/contracts';
import type { Clock } from './clock.ts';

/** The kinds of job an agent can be handed. */
export type HandledKind = JobPayload['kind'];
export type PayloadOf<K extends HandledKind> = Extract<JobPayload, { kind: K }>;
export type ResultOf<K extends HandledKind> = Extract<JobResult, { kind: K }>;

/**
 * Does one job. What it returns is sent as the result, once, under the lease it was given with.
 * Throwing `JobFailure` makes a `failed` result with that cause; anything else that is thrown makes
 * one with cause `host`. Nothing is sent once `context.signal` is aborted.
 */
export type JobHandler<K extends HandledKind> = (context: JobContext<K>) => Promise<ResultOf<K>>;

export interface AgentOptions {
  readonly kind: AgentKind;
  readonly name: string;
  readonly version: string;
  /** How many jobs it works on at once. */
  readonly capacity: number;
  /** Notes a person should see, such as a missing sandbox. */
  readonly warnings: readonly string[];
  readonly managerUrl: string;
  readonly token: string;
  /**
   * Private to this agent and to one process at a time. Job scratch trees live in
   * `<stateDir>/jobs/<jobId>-<fence>`; leftovers are removed at start.
   */
  readonly stateDir: string;
  readonly handlers: { readonly [K in HandledKind]?: JobHandler<K> };
  /** Gets each of the service's own log lines (JSON, no line break) as well; nobody by default. */
  readonly echo?: (line: string) => void;
  readonly clock?: Clock;
  readonly timing?: Partial<AgentTiming>;
}

/** The protocol's times; only tests have a reason to change them. */
export interface AgentTiming {
  readonly heartbeatIntervalMs: number;
  readonly heartbeatRetryMs: number;
  readonly leaseDurationMs: number;
  readonly leaseWaitMs: number;
  /** How long a handler may take to end after its signal was aborted, before its slot is freed without it. */
  readonly abortGraceMs: number;
}

export interface JobContext<K extends HandledKind> {
  readonly job: Job;
  readonly payload: PayloadOf<K>;
  /** Empty at the start, this lease's alone, removed when the job is over. */
  readonly scratchDir: string;
  /** Aborted when the lease is gone, the job is cancelled or the agent is forced to stop: stop at once and write nothing. */
  readonly signal: AbortSignal;
  /** A line of output, or several; batched, bounded, never throws. The middle is dropped where the manager cannot keep up. */
  log(stream: LogLine['stream'], text: string): void;
  /** Says what is being done. Resolves once the manager has it. */
  progress(action: string, phase?: 'building' | 'starting' | 'smoking'): Promise<void>;
  /**
   * Lays out the job's source in `scratchDir/src`, a git repository whose HEAD is detached at exactly the
   * commit (by default the one the payload names). An empty project gives an empty repository. Once a job.
   */
  checkOut(options?: { readonly commit?: string }): Promise<string>;
  /** Bundles HEAD of the tree on top of `since` (a commit the manager has), uploads it and returns the confirmed commit. */
  uploadCommit(tree: string, since: string | null): Promise<string>;
  uploadArtifact(name: string, file: string, mediaType: string): Promise<void>;
  /** The recorded attempt for this attempt number; null where none was recorded. */
  readAttachment(): Promise<Attachment | null>;
}

export interface RunningAgent {
  /** Changes when a manager that has forgotten this agent is greeted again. */
  readonly agentId: string;
  /** Speaks with the agent's own token; makes no retries (see `callManager`). */
  readonly client: Client;
  /** Takes no new job, waits up to `graceMs` (10 s) for running ones, then aborts them. May be called twice. */
  stop(options?: { readonly graceMs?: number }): Promise<void>;
  log(level: LogLevel, message: string, data?: object): void;
}
export type LogLevel = 'info' | 'warn' | 'error';
