import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type {
  Attachment,
  BodyInput,
  JobPayload,
  LogLine,
  OperationName,
  ReleaseObservation,
  ReleaseUsage,
  Topology,
  TopologyAck,
  WatchReport,
} from '@dbox/contracts';
import { OPERATIONS, ProblemError } from '@dbox/contracts';
import { agentRoutes } from './agent-routes.ts';
import type { FakeJob, FakeJobState } from './fake-job.ts';
import { createFakeJob } from './fake-job.ts';
import type { FakeRepository } from './fake-repository.ts';
import { createFakeRepository } from './fake-repository.ts';
import type { FakeAnswer, FakeRoute, FakeState, ReleaseSettings } from './fake-state.ts';
import { parseBody } from './fake-state.ts';
import type { Fault } from './faults.ts';
import { createFaultPlan } from './faults.ts';
import { jobRoutes } from './job-routes.ts';
import { releaseRoutes } from './release-routes.ts';
import { AGENT_TOKEN } from './require-token.ts';
import { createWaitingRoom } from './waiting-room.ts';

export type { FakeArtifact, FakeJob } from './fake-job.ts';
export type { FakeCommit, FakeFile, FakeFiles, FakeRepository } from './fake-repository.ts';
export { createFakeRepository } from './fake-repository.ts';
export type { Fault } from './faults.ts';
export type { ManualClock } from './manual-clock.ts';
export { createManualClock } from './manual-clock.ts';
export { makeCodePayload, makeTaskSpec, makeTestPayload } from './payloads.ts';

/**
 * A manager for agents' tests: a real HTTP server that speaks the contracts, checks what it is sent
 * against them, and does wrong what it is told to. It decides nothing: tests queue the jobs.
 */
export interface FakeManager {
  readonly url: string;
  /** Bearer token of any agent, and of the gateway. */
  readonly token: string;
  readonly repository: FakeRepository;
  /** Registrations, oldest first. */
  readonly agents: readonly (BodyInput<'registerAgent'> & { readonly id: string })[];
  readonly agentLogs: readonly Record<string, unknown>[];
  /** Every call that arrived, oldest first, with the status it was answered with (null: not yet, or cut off). */
  readonly calls: readonly FakeCall[];
  readonly observations: readonly (ReleaseObservation & { readonly releaseId: string })[];
  readonly releaseLogs: readonly (LogLine & { readonly releaseId: string })[];
  readonly watchReports: readonly WatchReport[];
  readonly topologyAcks: readonly TopologyAck[];
  readonly traffic: readonly BodyInput<'reportTraffic'>[];
  readonly usage: readonly ReleaseUsage[];

  /** Queues a job; its source is the payload's commit, which must be in `repository`. */
  enqueue(payload: JobPayload, options?: EnqueueOptions): FakeJob;
  /** Replaces parts of the topology under the next revision. */
  setTopology(parts: Partial<Omit<Topology, 'revision'>>): number;
  /** What `getReleaseSource` answers for this release. */
  setReleaseSource(releaseId: string, commit: string): void;
  /** What `getReleaseSettings` answers for this release. */
  setReleaseSettings(releaseId: string, settings: ReleaseSettings): void;
  /** What `readLogs` answers for a subject; each call appends. */
  addLogLines(subject: string, lines: readonly LogLine[]): void;
  /** Breaks the next `times` (1) calls of this operation. */
  fail(operation: OperationName, fault: Fault, times?: number): void;
  clearFaults(operation?: OperationName): void;
  /** Forgets every agent, as after its store was replaced. */
  forgetAgents(): void;
  /** Resolves with what `look` finds; it looks again after every call that arrived or was answered. */
  until<T>(look: () => T | null | undefined): Promise<T>;
  /** Cuts every connection and listens again, on the same port and with the same state, once `back` is resolved. */
  restart(back?: Promise<unknown>): Promise<void>;
  stop(): Promise<void>;
}
export interface EnqueueOptions {
  readonly project?: string;
  readonly taskId?: string;
  readonly createdAt?: string;
  readonly attachment?: Attachment;
  /** More commits to put in the source's bundle; a code job's main is there by itself. */
  readonly also?: readonly string[];
}
export interface FakeCall {
  readonly operation: OperationName;
  readonly params: Readonly<Record<string, string>>;
  status: number | null;
}

const routes: Partial<Record<OperationName, FakeRoute>> = { ...agentRoutes, ...jobRoutes, ...releaseRoutes };

export async function startFakeManager(): Promise<FakeManager> {
  const room = createWaitingRoom();
  const faults = createFaultPlan();
  const calls: FakeCall[] = [];
  let madeCount = 0;
  const state: FakeState = {
    room,
    repository: await createFakeRepository(),
    jobs: [],
    agents: [],
    knownAgentIds: new Set(),
    agentLogs: [],
    observations: [],
    releaseLogs: [],
    watchReports: [],
    topologyAcks: [],
    traffic: [],
    releaseSources: new Map(),
    releaseSettings: new Map(),
    usage: [],
    logs: new Map(),
    topology: { revision: 0, routes: [], releases: [], watches: [] },
    makeId(prefix) {
      madeCount += 1;
      return `${prefix}_${String(madeCount).padStart(10, '0')}`;
    },
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://manager');
    const found = findOperation(request.method ?? 'GET', url.pathname);
    if (found === null) return sendProblem(response, new ProblemError('not_found', 'no such call'));
    const call: FakeCall = { ...found, status: null };
    calls.push(call);
    room.changed();
    const fault = faults.next(found.operation);
    if (fault?.kind === 'drop_request') return cut(request);
    const hungUp = new AbortController();
    response.on('close', () => hungUp.abort());
    let answer: FakeAnswer = null;
    let problem: ProblemError | null = null;
    try {
      const bytes = await readBody(request);
      if (fault?.kind === 'problem') {
        const { code, retryAfterSeconds } = fault;
        throw new ProblemError(
          code,
          'as the test asked',
          retryAfterSeconds === undefined ? {} : { retryAfterSeconds },
        );
      }
      if (fault?.kind === 'garbage') {
        call.status = 502;
        response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad Gateway</h1>');
        return;
      }
      const route = routes[found.operation];
      if (route === undefined)
        throw new ProblemError('not_found', `the fake manager has no ${found.operation}`);
      answer = await route(
        {
          params: found.params,
          query: url.searchParams,
          token: tokenOf(request),
          headers: request.headers,
          json: parseBody(found.operation, bytes),
          bytes,
          hungUp: hungUp.signal,
        },
        state,
      );
    } catch (error) {
      problem =
        error instanceof ProblemError ? error : new ProblemError('internal', String(error), { cause: error });
    }
    room.changed();
    if (fault?.kind === 'drop_reply') return cut(request);
    if (fault?.kind === 'hold') await fault.release;
    call.status = problem?.status ?? (answer === null ? 204 : 200);
    if (problem !== null) sendProblem(response, problem);
    else if (answer === null) response.writeHead(204).end();
    else if ('json' in answer)
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer.json));
    else response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(answer.bytes);
    room.changed();
  }

  const listen = (port: number) =>
    new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
      const made = createServer((request, response) => {
        serve(request, response).catch(() => request.destroy());
      });
      made.once('error', reject);
      made.listen(port, '127.0.0.1', () => resolve(made));
    });
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  let server = await listen(0);
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    token: AGENT_TOKEN,
    repository: state.repository,
    agents: state.agents,
    agentLogs: state.agentLogs,
    calls,
    observations: state.observations,
    releaseLogs: state.releaseLogs,
    watchReports: state.watchReports,
    topologyAcks: state.topologyAcks,
    traffic: state.traffic,
    usage: state.usage,
    enqueue(payload, options = {}) {
      const job = createFakeJob({
        id: state.makeId('job'),
        payload,
        project: options.project ?? 'demo',
        taskId: options.taskId ?? taskIdOf(payload),
        createdAt: options.createdAt ?? '2026-01-02T03:04:05.678Z',
        source: sourceOf(payload, options.also ?? []),
        attachment: options.attachment ?? null,
        room,
        onRequeued: () => room.changed(),
      });
      state.jobs.push(job);
      room.changed();
      return job;
    },
    setTopology(parts) {
      state.topology = { ...state.topology, ...parts, revision: state.topology.revision + 1 };
      room.changed();
      return state.topology.revision;
    },
    setReleaseSource: (releaseId, commit) => void state.releaseSources.set(releaseId, commit),
    setReleaseSettings: (releaseId, settings) => void state.releaseSettings.set(releaseId, settings),
    addLogLines(subject, lines) {
      state.logs.set(subject, [...(state.logs.get(subject) ?? []), ...lines]);
    },
    fail: (operation, fault, times = 1) => faults.add(operation, fault, times),
    clearFaults: (operation) => faults.clear(operation),
    forgetAgents: () => state.knownAgentIds.clear(),
    until: room.until,
    async restart(back) {
      await close();
      await back;
      server = await listen(port);
    },
    async stop() {
      await close();
      await state.repository.remove();
    },
  };
}

function findOperation(method: string, path: string) {
  for (const [operation, [verb, pattern]] of Object.entries(OPERATIONS)) {
    if (verb !== method) continue;
    const names = [...pattern.matchAll(/:([a-zA-Z]+)/g)].map((match) => match[1]!);
    const match = new RegExp(`^${pattern.replaceAll(/:[a-zA-Z]+/g, '([^/]+)')}$`).exec(path);
    if (match === null) continue;
    const params = Object.fromEntries(
      names.map((name, index) => [name, decodeURIComponent(match[index + 1]!)]),
    );
    return { operation: operation as OperationName, params };
  }
  return null;
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function tokenOf(request: IncomingMessage): string {
  const [scheme, token] = (request.headers.authorization ?? '').split(' ');
  if (scheme !== 'Bearer' || token === undefined) throw new ProblemError('unauthenticated', 'no token');
  return token;
}

function sendProblem(response: ServerResponse, problem: ProblemError): void {
  response
    .writeHead(problem.status, { 'content-type': 'application/problem+json' })
    .end(JSON.stringify(problem.toProblem()));
}

function cut(request: IncomingMessage): void {
  request.socket.destroy();
}

function taskIdOf(payload: JobPayload): string | null {
  if (payload.kind === 'code') return payload.task.id;
  return payload.kind === 'test' ? payload.taskId : null;
}

function sourceOf(payload: JobPayload, also: readonly string[]): FakeJobState['source'] {
  switch (payload.kind) {
    case 'code': {
      const main =
        payload.mainCommit !== null && payload.mainCommit !== payload.startCommit ? [payload.mainCommit] : [];
      return payload.startCommit === null ? null : { commit: payload.startCommit, also: [...main, ...also] };
    }
    case 'test':
    case 'deploy':
      return { commit: payload.commit, also };
    case 'check':
      return null;
  }
}
