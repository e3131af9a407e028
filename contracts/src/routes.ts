import { z } from 'zod';
import { Agent } from './agent.ts';
import { Artifact } from './artifact.ts';
import { Event } from './event.ts';
import { Incident } from './incident.ts';
import { Job, JobResult, Lease, LogLine } from './job.ts';
import { Commit, EnvironmentName, MadeId, ProjectName, TaskId } from './names.ts';
import type { OperationName } from './operations.ts';
import { Project } from './project.ts';
import { Release } from './release.ts';
import { SettingKey, SettingList, SettingValue } from './setting.ts';
import { AGENT_KINDS, JOB_KINDS } from './statuses.ts';
import { Attachment, Story, SubmitStory } from './story.ts';
import { Task, TaskDetail } from './task.ts';
import {
  ReleaseObservation,
  ReleaseUsage,
  Topology,
  TopologyAck,
  TrafficStats,
  WatchReport,
} from './topology.ts';
import { LedgerReport, StatusReport, StoryReport } from './views.ts';

/**
 * Who a bearer token speaks for. `job` is one lease of one job. People's roles include each other:
 * an operator may do what a viewer may, an admin what an operator may; nothing else is implied.
 */
export const ROLES = [
  'viewer',
  'operator',
  'admin',
  'agent:coding',
  'agent:testing',
  'agent:deployment',
  'agent:monitoring',
  'gateway',
  'job',
] as const;
export type Role = (typeof ROLES)[number];

export interface RouteContract {
  /** Without a role nobody may call it; `anyone` needs no token. */
  readonly roles: readonly Role[] | 'anyone';
  readonly summary: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  /** A JSON body; `stream` is raw bytes, `lines` NDJSON. */
  readonly body?: z.ZodType | 'stream' | 'lines';
  /** Largest accepted body; 1 MiB where not given. */
  readonly maxBodyBytes?: number;
  /** A JSON answer; `stream` is raw bytes, `events` server-sent events, `text` plain text, `nothing` 204. */
  readonly response: z.ZodType | 'stream' | 'events' | 'text' | 'nothing';
  /** May also answer 204 without a body. */
  readonly mayBeEmpty?: boolean;
}

const VIEW: readonly Role[] = ['viewer', 'operator', 'admin'];
const OPERATE: readonly Role[] = ['operator', 'admin'];
const ADMIN: readonly Role[] = ['admin'];
const AGENTS: readonly Role[] = ['agent:coding', 'agent:testing', 'agent:deployment', 'agent:monitoring'];
const JOB: readonly Role[] = ['job'];

const story = z.object({ storyId: MadeId });
const task = z.object({ taskId: TaskId });
const job = z.object({ jobId: MadeId });
const project = z.object({ project: ProjectName });
const environment = z.object({ project: ProjectName, environment: EnvironmentName });
const setting = environment.extend({ key: SettingKey });
const settingChange = z.object({
  version: z.int(),
  /** `live`: nothing changed and it runs so; `waiting`: for a release under way; `next_release`: nothing is live yet. */
  effect: z.enum(['releasing', 'waiting', 'next_release', 'live']),
  /** Where `releasing`: the release that takes it to the site. */
  releaseId: MadeId.nullable(),
});
const release = z.object({ releaseId: MadeId });
const agent = z.object({ agentId: MadeId });
const text = z.string();
const count = (most: number) => z.coerce.number().int().min(1).max(most);

export const ROUTES = {
  getHealth: {
    roles: 'anyone',
    summary: 'Whether the manager answers.',
    response: z.object({ ok: z.boolean() }),
  },
  getOpenApi: { roles: 'anyone', summary: 'This document.', response: z.json() },
  getMetrics: { roles: VIEW, summary: 'Prometheus metrics.', response: 'text' },
  getStatus: {
    roles: VIEW,
    summary: 'Box, projects, stories and agents at a glance.',
    response: StatusReport,
  },
  submitStory: {
    roles: OPERATE,
    summary: 'Submit a story. `Idempotency-Key` makes a repeat safe.',
    body: SubmitStory,
    maxBodyBytes: 48 * 1024 * 1024,
    response: z.object({ story: Story, project: z.object({ name: ProjectName, created: z.boolean() }) }),
  },
  listStories: {
    roles: VIEW,
    summary: 'Stories, newest first.',
    query: z.object({ project: ProjectName.optional(), limit: count(1000).default(100) }),
    response: z.object({ stories: z.array(Story) }),
  },
  getStory: { roles: VIEW, summary: 'One story with its tasks.', params: story, response: StoryReport },
  cancelStory: {
    roles: OPERATE,
    summary: 'Withdraw what is not live yet.',
    params: story,
    response: StoryReport,
  },
  retryStory: {
    roles: OPERATE,
    summary: 'Revive its failed and blocked tasks.',
    params: story,
    response: StoryReport,
  },
  listTasks: {
    roles: VIEW,
    summary: 'Tasks, newest first.',
    query: z.object({
      project: ProjectName.optional(),
      story: MadeId.optional(),
      limit: count(1000).default(100),
    }),
    response: z.object({ tasks: z.array(Task) }),
  },
  getTask: {
    roles: VIEW,
    summary: 'One task with its attempts and verdicts.',
    params: task,
    response: TaskDetail,
  },
  getTaskDiff: {
    roles: VIEW,
    summary: 'What an attempt changed (the newest where none is named).',
    params: task,
    query: z.object({ attempt: count(10_000).optional() }),
    response: 'text',
  },
  cancelTask: {
    roles: OPERATE,
    summary: 'Withdraw a task that is not live yet.',
    params: task,
    response: Task,
  },
  retryTask: { roles: OPERATE, summary: 'Try a failed or blocked task again.', params: task, response: Task },
  listProjects: {
    roles: VIEW,
    summary: 'All projects.',
    response: z.object({ projects: z.array(Project.extend({ urls: z.record(z.string(), z.string()) })) }),
  },
  addProject: {
    roles: OPERATE,
    summary: 'Make a project; a git bundle as body brings its history (its HEAD becomes main).',
    params: project,
    body: 'stream',
    maxBodyBytes: 256 * 1024 * 1024,
    response: Project,
  },
  removeProject: {
    roles: ADMIN,
    summary: 'Stop its releases and take it out of the box. The repository is moved to `removed/`.',
    params: project,
    response: 'nothing',
  },
  getProjectBundle: {
    roles: VIEW,
    summary: 'The code, as a git bundle of main.',
    params: project,
    response: 'stream',
  },
  rollBack: {
    roles: OPERATE,
    summary: 'Give the traffic back to an earlier release (the newest good one where none is named).',
    params: project,
    body: z.object({ environment: EnvironmentName.default('dev'), releaseId: MadeId.optional() }).strict(),
    response: z.object({ from: Release, to: Release }),
  },
  listSettings: {
    roles: VIEW,
    summary: "Names of an environment's settings; values are never shown again.",
    params: environment,
    response: SettingList,
  },
  setSetting: {
    roles: OPERATE,
    summary: "Give an environment's releases a variable; what is live is released again with it.",
    params: setting,
    body: z.object({ value: SettingValue }).strict(),
    response: settingChange,
  },
  removeSetting: {
    roles: OPERATE,
    summary: 'Take a variable away; what is live is released again without it.',
    params: setting,
    response: settingChange,
  },
  listReleases: {
    roles: VIEW,
    summary: 'Releases, newest first.',
    query: z.object({ project: ProjectName.optional(), limit: count(1000).default(100) }),
    response: z.object({ releases: z.array(Release) }),
  },
  listIncidents: {
    roles: VIEW,
    summary: 'Incidents, newest first.',
    query: z.object({ project: ProjectName.optional(), limit: count(1000).default(100) }),
    response: z.object({ incidents: z.array(Incident) }),
  },
  listAgents: { roles: VIEW, summary: 'All agents.', response: z.object({ agents: z.array(Agent) }) },
  listArtifacts: {
    roles: VIEW,
    summary: 'Artifacts of a task.',
    query: z.object({ task: TaskId }),
    response: z.object({ artifacts: z.array(Artifact) }),
  },
  getArtifact: {
    roles: VIEW,
    summary: 'The file itself.',
    params: z.object({ artifactId: MadeId }),
    response: 'stream',
  },
  listEvents: {
    roles: VIEW,
    summary: 'Events after a sequence number, oldest first.',
    query: z.object({
      after: z.coerce.number().int().min(0).default(0),
      limit: count(5000).default(1000),
      /** Only events about this subject, e.g. `task/task-001`. No subject has other letters, and Postgres takes no NUL. */
      subject: text
        .max(200)
        .regex(/^[ -~]*$/)
        .optional(),
    }),
    response: z.object({ events: z.array(Event) }),
  },
  streamEvents: {
    roles: VIEW,
    summary: 'Events as they happen; `Last-Event-ID` or `after` resumes without a gap.',
    query: z.object({ after: z.coerce.number().int().min(0).optional() }),
    response: 'events',
  },
  verifyEvents: { roles: VIEW, summary: 'Recompute the hash chain.', response: LedgerReport },
  readLogs: {
    // The monitoring agent scans what releases print with the call that people read logs with.
    roles: [...VIEW, 'agent:monitoring'],
    summary: 'Log lines of a story, task, job, release or service (`manager`, `coding`, …).',
    query: z.object({
      subject: text.max(120),
      /** A cursor from a former answer. */
      after: text.max(16_000).optional(),
      limit: count(10_000).default(2000),
    }),
    response: z.object({
      lines: z.array(LogLine.extend({ source: text })),
      next: text,
      /** Nothing more will come. */
      ended: z.boolean(),
    }),
  },
  getBackup: {
    roles: ADMIN,
    summary:
      'Store, repositories, artifacts and ledger head of one moment, as a tar archive. It holds secrets.',
    response: 'stream',
  },

  registerAgent: {
    roles: AGENTS,
    summary: 'Say hello; the same name again is the same agent.',
    body: Agent.pick({ name: true, version: true, capacity: true, labels: true, warnings: true })
      .extend({ kind: z.enum(AGENT_KINDS) })
      .strict(),
    response: z.object({ agentId: MadeId }),
  },
  sendAgentLogs: {
    roles: AGENTS,
    summary: "The service's own log lines.",
    params: agent,
    body: 'lines',
    response: 'nothing',
  },
  leaseJob: {
    roles: AGENTS,
    summary: 'Wait up to `waitMs` for a job; 204 where none came.',
    body: z
      .object({
        agentId: MadeId,
        kinds: z.array(z.enum(JOB_KINDS)).min(1),
        waitMs: z.int().min(0).max(30_000),
      })
      .strict(),
    response: Lease,
    mayBeEmpty: true,
  },
  heartbeatJob: {
    roles: JOB,
    summary: 'Extend the lease. 409: it is gone, stop and write nothing.',
    params: job,
    response: z.object({ order: z.enum(['continue', 'cancel']), expiresAt: text }),
  },
  sendJobLogs: {
    roles: JOB,
    summary: 'Output lines of the job.',
    params: job,
    body: 'lines',
    response: 'nothing',
  },
  reportProgress: {
    roles: JOB,
    summary: 'What the job is doing now; a deploy job moves its release with `phase`.',
    params: job,
    body: z
      .object({ action: text.max(500), phase: z.enum(['building', 'starting', 'smoking']).optional() })
      .strict(),
    response: 'nothing',
  },
  putArtifact: {
    roles: JOB,
    summary: 'Store a file; `X-Content-SHA256` must match the bytes.',
    params: z.object({ jobId: MadeId, name: text.max(100) }),
    body: 'stream',
    maxBodyBytes: 64 * 1024 * 1024,
    response: Artifact,
  },
  getJobSource: {
    roles: JOB,
    summary:
      "The job's commit as a git bundle (ref `refs/heads/dbox`; main as `refs/heads/main` where the job needs it), from `have` on; 204 where the project is empty.",
    params: job,
    query: z.object({ have: Commit.optional() }),
    response: 'stream',
    mayBeEmpty: true,
  },
  getJobAttachment: {
    roles: JOB,
    summary: "The recorded attempt for this job's attempt number; 404 where none was recorded.",
    params: job,
    response: Attachment,
  },
  putJobCommit: {
    roles: JOB,
    summary: "The attempt's commit as a git bundle with the ref `refs/heads/dbox`, on top of its start.",
    params: job,
    body: 'stream',
    maxBodyBytes: 256 * 1024 * 1024,
    response: z.object({ commit: Commit }),
  },
  completeJob: {
    roles: JOB,
    summary: 'The result, once; a repeat of the same is answered alike, a stale one with 409.',
    params: job,
    body: JobResult,
    maxBodyBytes: 8 * 1024 * 1024,
    response: z.object({ job: Job }),
  },

  followTopology: {
    roles: ['gateway', 'agent:deployment', 'agent:monitoring'],
    summary:
      'What should run, be routed and be watched; waits for a revision newer than `after`, 204 where none came.',
    query: z.object({
      after: z.coerce.number().int().min(-1).default(-1),
      waitMs: z.coerce.number().int().min(0).max(30_000).default(0),
    }),
    response: Topology,
    mayBeEmpty: true,
  },
  ackTopology: {
    roles: ['gateway'],
    summary: 'The gateway serves this revision.',
    body: TopologyAck,
    response: 'nothing',
  },
  reportTraffic: {
    roles: ['gateway'],
    summary: 'Counts per release since the gateway started.',
    body: z.object({ startedAt: text, releases: z.array(TrafficStats) }).strict(),
    response: 'nothing',
  },
  getReleaseSource: {
    roles: ['agent:deployment'],
    summary: "A release's commit as a git bundle (ref `refs/heads/dbox`), to lay it out again.",
    params: release,
    response: 'stream',
  },
  getReleaseSettings: {
    roles: ['agent:deployment'],
    summary: 'The settings this release runs with, in clear.',
    params: release,
    response: z.object({ version: z.int(), values: z.record(z.string(), z.string()) }),
  },
  reportUsage: {
    roles: ['agent:deployment'],
    summary: 'What the running releases use now.',
    body: z.object({ releases: z.array(ReleaseUsage).max(1000) }).strict(),
    response: 'nothing',
  },
  observeRelease: {
    roles: ['agent:deployment'],
    summary: 'A release started, exited or was stopped outside of a job.',
    params: release,
    body: ReleaseObservation,
    response: 'nothing',
  },
  sendReleaseLogs: {
    roles: ['agent:deployment'],
    summary: 'Output lines of a running release.',
    params: release,
    body: 'lines',
    response: 'nothing',
  },
  reportWatch: {
    roles: ['agent:monitoring'],
    summary: 'One round of checks of a live release.',
    params: release,
    body: WatchReport,
    response: 'nothing',
  },
} as const satisfies Record<OperationName, RouteContract>;

type Routes = typeof ROUTES;
type Field<R, K extends string> = K extends keyof R ? R[K] : undefined;
type In<S> = S extends z.ZodType ? z.input<S> : undefined;
type Out<S> = S extends z.ZodType ? z.output<S> : undefined;

export type Params<K extends OperationName> = Out<Field<Routes[K], 'params'>>;
export type Query<K extends OperationName> = Out<Field<Routes[K], 'query'>>;
export type QueryInput<K extends OperationName> = In<Field<Routes[K], 'query'>>;
export type Body<K extends OperationName> = Out<Field<Routes[K], 'body'>>;
export type BodyInput<K extends OperationName> = In<Field<Routes[K], 'body'>>;
/** The JSON answer; `undefined` for routes that answer with bytes, text or nothing. */
export type Answer<K extends OperationName> = Out<Routes[K]['response']>;
