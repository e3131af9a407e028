import type { AgentKind, Attachment } from '@dbox/contracts';
import { ProblemError } from '@dbox/contracts';
import { ackTopology } from '../app/ack-topology.ts';
import { completeJob } from '../app/complete-job.ts';
import type { AppContext } from '../app/context.ts';
import type { TopologyDesk } from '../app/follow-topology.ts';
import { heartbeatJob } from '../app/heartbeat-job.ts';
import { loadHeldJob } from '../app/job-steps.ts';
import type { LeaseDesk } from '../app/lease-desk.ts';
import { leaseJob } from '../app/lease-job.ts';
import { observeRelease } from '../app/observe-release.ts';
import { readReleaseSettings } from '../app/read-release-settings.ts';
import { readJobSource, readReleaseSource } from '../app/read-source.ts';
import { receiveCommit } from '../app/receive-commit.ts';
import { registerAgent } from '../app/register-agent.ts';
import { reportProgress } from '../app/report-progress.ts';
import { reportTraffic } from '../app/report-traffic.ts';
import { reportUsage } from '../app/report-usage.ts';
import { reportWatch } from '../app/report-watch.ts';
import { storeArtifact } from '../app/store-artifact.ts';
import type { Caller, Handlers } from './handlers.ts';
import { readLogLines } from './log-lines.ts';
import { openBundle } from './open-bundle.ts';

export interface AgentDeps {
  readonly context: AppContext;
  readonly leases: LeaseDesk;
  readonly topology: TopologyDesk;
}

type AgentOperation =
  | 'registerAgent'
  | 'sendAgentLogs'
  | 'leaseJob'
  | 'heartbeatJob'
  | 'sendJobLogs'
  | 'reportProgress'
  | 'putArtifact'
  | 'getJobSource'
  | 'getJobAttachment'
  | 'putJobCommit'
  | 'completeJob'
  | 'followTopology'
  | 'ackTopology'
  | 'reportTraffic'
  | 'getReleaseSource'
  | 'getReleaseSettings'
  | 'reportUsage'
  | 'observeRelease'
  | 'sendReleaseLogs'
  | 'reportWatch';

/** What agents and the gateway call. */
export function agentHandlers(deps: AgentDeps): Pick<Handlers, AgentOperation> {
  const { context } = deps;
  return {
    registerAgent: ({ body, caller }) => registerAgent(context, body, agentKindOf(caller)),
    async sendAgentLogs({ params, bytes, caller }) {
      const agent = await requireAgent(context, params.agentId, caller);
      await context.logs.append({ kind: 'service', id: agent.kind }, await readLogLines(bytes));
      return undefined;
    },
    async leaseJob({ body, caller, signal }) {
      await requireAgent(context, body.agentId, caller);
      return leaseJob(context, deps.leases, { ...body, agentKind: agentKindOf(caller), signal });
    },
    heartbeatJob: ({ caller }) => heartbeatJob(context, leaseOf(caller)),
    async sendJobLogs({ params, bytes, caller }) {
      const lines = await readLogLines(bytes);
      await context.store.read((reader) => loadHeldJob(reader, leaseOf(caller)));
      await context.logs.append({ kind: 'job', id: params.jobId }, lines);
      return undefined;
    },
    async reportProgress({ body, caller }) {
      await reportProgress(context, leaseOf(caller), body);
      return undefined;
    },
    putArtifact: ({ params, bytes, header, caller }) =>
      storeArtifact(context, leaseOf(caller), {
        name: params.name,
        sha256: header('x-content-sha256'),
        mediaType: header('content-type') ?? 'application/octet-stream',
        body: requireBytes(bytes),
      }),
    async getJobSource({ query, caller }) {
      const bundle = await readJobSource(context, leaseOf(caller), query.have ?? null);
      return bundle && openBundle(bundle);
    },
    getJobAttachment: ({ caller }) => readAttachment(context, leaseOf(caller)),
    putJobCommit: ({ bytes, caller }) => receiveCommit(context, leaseOf(caller), requireBytes(bytes)),
    completeJob: ({ body, caller }) => completeJob(context, leaseOf(caller), body),

    followTopology: ({ query, signal }) => deps.topology.follow(query.after, query.waitMs, signal),
    async ackTopology({ body }) {
      await ackTopology(context, body);
      return undefined;
    },
    async reportTraffic({ body }) {
      await reportTraffic(context, body);
      return undefined;
    },
    getReleaseSource: async ({ params }) => openBundle(await readReleaseSource(context, params.releaseId)),
    getReleaseSettings: ({ params }) => readReleaseSettings(context, params.releaseId),
    async reportUsage({ body }) {
      await reportUsage(context, body.releases);
      return undefined;
    },
    async observeRelease({ params, body, caller }) {
      if (body.releaseId !== params.releaseId)
        throw new ProblemError('invalid_request', 'the release ids in path and body differ');
      await observeRelease(context, params.releaseId, body, caller.actor);
      return undefined;
    },
    async sendReleaseLogs({ params, bytes }) {
      const lines = await readLogLines(bytes);
      const release = await context.store.read((reader) => reader.releases.get(params.releaseId));
      if (!release) throw new ProblemError('not_found', `there is no release ${params.releaseId}`);
      await context.logs.append({ kind: 'release', id: release.id }, lines);
      return undefined;
    },
    async reportWatch({ params, body }) {
      if (body.releaseId !== params.releaseId)
        throw new ProblemError('invalid_request', 'the release ids in path and body differ');
      await reportWatch(context, body);
      return undefined;
    },
  };
}

async function readAttachment(
  context: AppContext,
  claim: { readonly jobId: string; readonly fence: number },
): Promise<Attachment> {
  const { job, storyId } = await context.store.read(async (reader) => {
    const held = await loadHeldJob(reader, claim);
    const task = held.taskId === null ? null : await reader.tasks.get(held.taskId);
    return { job: held, storyId: task?.storyId ?? null };
  });
  const attachment =
    job.payload.kind === 'code' && storyId !== null
      ? await context.files.readAttachment(storyId, job.payload.task.id, job.payload.attempt - 1)
      : null;
  if (!attachment) throw new ProblemError('not_found', `no attempt was recorded for job ${job.id}`);
  return attachment;
}

function leaseOf(caller: Caller): { readonly jobId: string; readonly fence: number } {
  if (!caller.job) throw new ProblemError('forbidden', 'this call needs the token of a lease');
  return caller.job;
}

function agentKindOf(caller: Caller): AgentKind {
  const kind = caller.role.startsWith('agent:') ? caller.role.slice('agent:'.length) : null;
  if (kind === null) throw new ProblemError('forbidden', 'this call needs an agent token');
  return kind as AgentKind;
}

/** An agent token may only speak for agents of its own kind. */
async function requireAgent(
  context: AppContext,
  agentId: string,
  caller: Caller,
): Promise<{ kind: AgentKind }> {
  const kind = context.observations.agentKinds.get(agentId) ?? (await lookUpKind(context, agentId));
  if (kind !== agentKindOf(caller)) {
    throw new ProblemError('forbidden', `agent ${agentId} is not of this token's kind`);
  }
  return { kind };
}

/** What an agent is never changes, so each is looked up once and not at every lease. */
async function lookUpKind(context: AppContext, agentId: string): Promise<AgentKind> {
  const found = await context.store.read((reader) => reader.agents.get(agentId));
  if (!found) throw new ProblemError('not_found', `there is no agent ${agentId}; register first`);
  context.observations.agentKinds.set(agentId, found.agent.kind);
  return found.agent.kind;
}

function requireBytes<B>(bytes: B | null): B {
  if (bytes === null) throw new ProblemError('invalid_request', 'the body is missing');
  return bytes;
}
