import type { BodyInput, Lease, OperationName, Topology } from '@dbox/contracts';
import { LEASE_DURATION_MS, ProblemError } from '@dbox/contracts';
import type { FakeJobState } from './fake-job.ts';
import { toJob } from './fake-job.ts';
import type { FakeRequest, FakeRoute, FakeState } from './fake-state.ts';
import { requireAgentToken } from './require-token.ts';

/** Calls that an agent, or the gateway, makes with its own token outside of a job. */
export const agentRoutes: Partial<Record<OperationName, FakeRoute>> = {
  registerAgent(request, state) {
    requireAgentToken(request);
    const body = request.json as BodyInput<'registerAgent'>;
    const known = state.agents.find((agent) => agent.name === body.name && state.knownAgentIds.has(agent.id));
    const id = known?.id ?? state.makeId('agt');
    state.agents.push({ ...body, id });
    state.knownAgentIds.add(id);
    return { json: { agentId: id } };
  },

  sendAgentLogs(request, state) {
    requireAgentToken(request);
    requireKnownAgent(request.params.agentId, state);
    state.agentLogs.push(...parseLines<Record<string, unknown>>(request));
    return null;
  },

  async leaseJob(request, state) {
    requireAgentToken(request);
    const { agentId, kinds, waitMs } = request.json as { agentId: string; kinds: string[]; waitMs: number };
    requireKnownAgent(agentId, state);
    const take = () => state.jobs.find((job) => job.status === 'queued' && kinds.includes(job.payload.kind));
    const job = await waitFor(take, waitMs, request, state);
    return job === null ? null : { json: lease(job, agentId, state) };
  },

  async followTopology(request, state) {
    requireAgentToken(request);
    const after = Number(request.query.get('after') ?? -1);
    const newer = () => (state.topology.revision > after ? state.topology : null);
    const topology = await waitFor<Topology>(newer, Number(request.query.get('waitMs') ?? 0), request, state);
    return topology === null ? null : { json: topology };
  },
};

function requireKnownAgent(agentId: string | undefined, state: FakeState): void {
  if (agentId === undefined || !state.knownAgentIds.has(agentId)) {
    throw new ProblemError('not_found', `there is no agent ${agentId}: register first`);
  }
}

function lease(job: FakeJobState, agentId: string, state: FakeState): Lease {
  job.fence += 1;
  job.status = 'leased';
  job.token = `${job.id}-token-${job.fence}`;
  const expiresAt = new Date(Date.now() + LEASE_DURATION_MS).toISOString();
  const given: Lease = {
    job: { ...toJob(job), agentId, leaseExpiresAt: expiresAt },
    payload: job.payload,
    lease: { id: `${job.id}-${job.fence}`, fence: job.fence, expiresAt, token: job.token },
  };
  job.leases.push(given);
  state.room.changed();
  return given;
}

/** Looks again after every change; null once the time is over or whoever asked has hung up. */
function waitFor<T>(
  look: () => T | null | undefined,
  waitMs: number,
  request: FakeRequest,
  state: FakeState,
): Promise<T | null> {
  let over = false;
  let timer: NodeJS.Timeout | undefined;
  const found = state.room.until<{ value: T | null }>(() => {
    if (over) return { value: null };
    const value = look();
    return value === null || value === undefined ? null : { value };
  });
  const end = () => {
    over = true;
    state.room.changed();
  };
  timer = setTimeout(end, waitMs);
  request.hungUp.addEventListener('abort', end, { once: true });
  return found.then(({ value }) => {
    clearTimeout(timer);
    return value;
  });
}

export function parseLines<T>(request: FakeRequest): T[] {
  return request.bytes
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}
