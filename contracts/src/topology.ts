import { z } from 'zod';
import { Check } from './check.ts';
import { Commit, EnvironmentName, MadeId, ProjectName } from './names.ts';
import { RunPlan } from './project.ts';
import { ImageDigest, Target } from './release.ts';

/** One environment's address. The gateway listens on `port`, or on a free one that it reports if that is taken. */
export const Route = z.object({
  project: ProjectName,
  environment: EnvironmentName,
  port: z.int(),
  /** Null answers 503: nothing is live. */
  releaseId: MadeId.nullable(),
  target: Target.nullable(),
});

/** What the deployment agent keeps running. A release not listed is to be stopped. */
export const DesiredRelease = z.object({
  releaseId: MadeId,
  project: ProjectName,
  environment: EnvironmentName,
  commit: Commit,
  runPlan: RunPlan,
  settingsVersion: z.int().min(0),
  image: ImageDigest.nullable(),
  trusted: z.boolean(),
  /** `live` is started whenever it does not run; `warm` may run on for a quick rollback but is not started again; `kept` keeps only its files. */
  state: z.enum(['live', 'warm', 'kept']),
  /** A number the agent has not acted on yet asks for one restart. */
  generation: z.int(),
});

/** What the monitoring agent watches, through the gateway's address like any visitor. */
export const Watch = z.object({
  project: ProjectName,
  environment: EnvironmentName,
  releaseId: MadeId,
  port: z.int(),
  checks: z.array(Check),
  intervalMs: z.int().positive(),
});

/**
 * What should run, be routed and be watched now: manager state with one growing revision. Whoever
 * follows it applies only newer revisions, so a late answer changes nothing.
 */
export const Topology = z.object({
  revision: z.int(),
  routes: z.array(Route),
  releases: z.array(DesiredRelease),
  watches: z.array(Watch),
});

/** The gateway says which revision it serves and where it really listens. A release is live on this. */
export const TopologyAck = z.object({
  revision: z.int(),
  listeners: z.array(z.object({ project: ProjectName, environment: EnvironmentName, port: z.int() })),
});

/** How long the first traffic of a release is looked at closely: the bake window of `dev`. */
export const FIRST_TRAFFIC_MS = 30_000;

/** Counts since the gateway started, per release. */
export const TrafficStats = z.object({
  releaseId: MadeId,
  /** How long ago this life of the gateway switched to it; null where it served it from its start, so that a restart makes nothing new. */
  servingForMs: z.number().min(0).nullable(),
  /** Requests and WebSockets under way now. */
  openCount: z.int().min(0),
  /** `2xx` … `5xx`, and `error` where the release gave no answer. */
  statuses: z.record(z.string(), z.int()),
  /** Cumulative histogram: requests answered within each bound. */
  latencyBuckets: z.array(z.object({ leMs: z.number(), count: z.int() })),
  latencySumMs: z.number(),
});

/** Something the deployment agent saw of a release outside of a job. */
export const ReleaseObservation = z.discriminatedUnion('type', [
  z.object({ type: z.literal('started'), releaseId: MadeId, target: Target, generation: z.int() }),
  z.object({
    type: z.literal('exited'),
    releaseId: MadeId,
    exitCode: z.int().nullable(),
    signal: z.string().nullable(),
    outputTail: z.string(),
    /** True once the agent has given up restarting it by itself. */
    gaveUp: z.boolean(),
  }),
  z.object({ type: z.literal('stopped'), releaseId: MadeId }),
  /** The container engine's own word on it, such as `oom` or `die`. */
  z.object({
    type: z.literal('engine_event'),
    releaseId: MadeId,
    action: z.string().max(40),
    detail: z.string().max(500),
  }),
]);

/** What a running release uses now. */
export const ReleaseUsage = z.object({
  releaseId: MadeId,
  /** Of one core: 200 is two cores. */
  cpuPercent: z.number().min(0),
  memoryBytes: z.int().min(0),
  /** Null: unlimited. */
  memoryLimitBytes: z.int().min(0).nullable(),
  processes: z.int().min(0),
});

/** One round of a watch. */
export const WatchReport = z.object({
  releaseId: MadeId,
  results: z.array(
    z.object({ id: z.string(), ok: z.boolean(), detail: z.string(), latencyMs: z.number().nullable() }),
  ),
});

export type Route = z.infer<typeof Route>;
export type DesiredRelease = z.infer<typeof DesiredRelease>;
export type Watch = z.infer<typeof Watch>;
export type Topology = z.infer<typeof Topology>;
export type TopologyAck = z.infer<typeof TopologyAck>;
export type TrafficStats = z.infer<typeof TrafficStats>;
export type ReleaseObservation = z.infer<typeof ReleaseObservation>;
export type ReleaseUsage = z.infer<typeof ReleaseUsage>;
export type WatchReport = z.infer<typeof WatchReport>;
