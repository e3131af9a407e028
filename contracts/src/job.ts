import { z } from 'zod';
import { Check, CheckResult } from './check.ts';
import { Commit, EnvironmentName, Instant, MadeId, ProjectName, TaskId } from './names.ts';
import { RunPlan } from './project.ts';
import { ImageDigest, Target } from './release.ts';
import { ENGINES, JOB_KINDS, JOB_STATUSES, RELEASE_TRIGGERS } from './statuses.ts';
import { TaskSpec } from './task-spec.ts';
import { TestResult, Verdict } from './verdict.ts';

/** Heartbeat every 3 s, a failed one again after 0.5 s; the lease and one round of the rescue together stay within 15 s. */
export const LEASE_DURATION_MS = 14_000;
export const HEARTBEAT_INTERVAL_MS = 3_000;
export const HEARTBEAT_RETRY_MS = 500;
export const MAX_LEASE_WAIT_MS = 30_000;

/** What a coder gets: write this task's code on top of `startCommit`. */
export const CodePayload = z.object({
  kind: z.literal('code'),
  task: TaskSpec,
  storyText: z.string(),
  attempt: z.int().positive(),
  /** The commit the attempt must descend from; null in an empty project. On rework it holds the former try. */
  startCommit: Commit.nullable(),
  /** Main when the attempt began: the coder may fall back to it where the former try is of no use. */
  mainCommit: Commit.nullable(),
  engine: z.enum(ENGINES),
  checks: z.array(Check),
  /** Why the former attempt was not good enough; null on the first. Data, never instructions. */
  evidence: z.object({ reason: z.string(), verdict: Verdict.nullable() }).nullable(),
});
export const TestPayload = z.object({
  kind: z.literal('test'),
  taskId: TaskId,
  attempt: z.int().positive(),
  /** `candidate` is the attempt merged with a main that had moved. */
  purpose: z.enum(['attempt', 'candidate']),
  commit: Commit,
  /** Main the commit is compared with, to name changed test files; null in an empty project. */
  baseCommit: Commit.nullable(),
  tests: z.array(z.object({ run: z.string() })),
  /** Only criteria of kind `command`. */
  checks: z.array(Check),
  artifacts: z.array(z.string()),
  maxMinutes: z.number(),
  network: z.enum(['none', 'host']),
  /** The code was written by the box's own template engine, so it may run where there is no sandbox. */
  trusted: z.boolean(),
  /** The project's dev address, given to commands as `DBOX_URL`; null before the first release. */
  devUrl: z.string().nullable(),
});
export const DeployPayload = z.object({
  kind: z.literal('deploy'),
  releaseId: MadeId,
  project: ProjectName,
  environment: EnvironmentName,
  commit: Commit,
  runPlan: RunPlan,
  /** All live checks of the project and the task's own; only `http` and `log` are for the smoke test. */
  checks: z.array(Check),
  trigger: z.enum(RELEASE_TRIGGERS),
  trusted: z.boolean(),
  settingsVersion: z.int().min(0),
  /** Built before: run exactly this, build only where the engine has lost it. Null: build. */
  image: ImageDigest.nullable(),
});
/** Look once at these checks of a live release. */
export const CheckPayload = z.object({ kind: z.literal('check'), releaseId: MadeId, checks: z.array(Check) });
export const JobPayload = z.discriminatedUnion('kind', [
  CodePayload,
  TestPayload,
  DeployPayload,
  CheckPayload,
]);

const failed = {
  outcome: z.literal('failed'),
  /** `commit`: rework may mend it, an attempt is used. `host`: repeated as it is. `final`: no try can mend it. */
  cause: z.enum(['commit', 'host', 'final']),
  detail: z.string(),
};
export const CodeResult = z.discriminatedUnion('outcome', [
  z.object({
    kind: z.literal('code'),
    outcome: z.literal('succeeded'),
    engine: z.enum(ENGINES),
    /** Must have been confirmed by `PUT …/commit` under this lease. */
    commit: Commit,
    summary: z.string(),
  }),
  z.object({ kind: z.literal('code'), engine: z.enum(ENGINES), ...failed }),
]);
export const TestJobResult = z.discriminatedUnion('outcome', [
  z.object({
    kind: z.literal('test'),
    outcome: z.literal('succeeded'),
    /** In the order of the payload, one for each entry. */
    tests: z.array(TestResult),
    checks: z.array(CheckResult),
    changedTestFiles: z.array(z.string()),
  }),
  z.object({ kind: z.literal('test'), ...failed }),
]);
export const DeployResult = z.discriminatedUnion('outcome', [
  /** Runs and passed its smoke test; the manager now routes to it. */
  z.object({
    kind: z.literal('deploy'),
    outcome: z.literal('succeeded'),
    target: Target,
    image: ImageDigest.nullable(),
    checks: z.array(CheckResult),
  }),
  z.object({
    kind: z.literal('deploy'),
    ...failed,
    phase: z.enum(['building', 'starting', 'smoking']),
    checks: z.array(CheckResult),
    /** The last lines of build or process output. */
    outputTail: z.string(),
  }),
]);
export const CheckJobResult = z.object({
  kind: z.literal('check'),
  outcome: z.literal('succeeded'),
  checks: z.array(CheckResult),
});
export const JobResult = z.discriminatedUnion('kind', [
  CodeResult,
  TestJobResult,
  DeployResult,
  CheckJobResult,
]);

export const Job = z.object({
  id: MadeId,
  kind: z.enum(JOB_KINDS),
  project: ProjectName.nullable(),
  taskId: TaskId.nullable(),
  releaseId: MadeId.nullable(),
  status: z.enum(JOB_STATUSES),
  /** Grows by one with each lease; a result under an older one is refused. */
  fence: z.int(),
  agentId: MadeId.nullable(),
  leaseExpiresAt: Instant.nullable(),
  createdAt: Instant,
  finishedAt: Instant.nullable(),
});

export const Lease = z.object({
  job: Job,
  payload: JobPayload,
  lease: z.object({
    id: z.string(),
    fence: z.int(),
    expiresAt: Instant,
    /** Bearer token for the calls of this job; worth nothing once the lease is gone. */
    token: z.string(),
  }),
});

export const LogLine = z.object({
  at: Instant,
  stream: z.enum(['stdout', 'stderr', 'agent']),
  text: z.string(),
});
/** A line longer than this is cut and marked by whoever sends it. */
export const MAX_LOG_LINE_BYTES = 8 * 1024;
/** Past head plus tail the middle of a job's log is dropped and the cut is marked. */
export const JOB_LOG_HEAD_BYTES = 512 * 1024;
export const JOB_LOG_TAIL_BYTES = 512 * 1024;

export type CodePayload = z.infer<typeof CodePayload>;
export type TestPayload = z.infer<typeof TestPayload>;
export type DeployPayload = z.infer<typeof DeployPayload>;
export type CheckPayload = z.infer<typeof CheckPayload>;
export type JobPayload = z.infer<typeof JobPayload>;
export type CodeResult = z.infer<typeof CodeResult>;
export type TestJobResult = z.infer<typeof TestJobResult>;
export type DeployResult = z.infer<typeof DeployResult>;
export type CheckJobResult = z.infer<typeof CheckJobResult>;
export type JobResult = z.infer<typeof JobResult>;
export type Job = z.infer<typeof Job>;
export type Lease = z.infer<typeof Lease>;
export type LogLine = z.infer<typeof LogLine>;
