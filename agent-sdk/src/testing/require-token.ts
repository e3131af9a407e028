import { ProblemError } from '@dbox/contracts';
import type { FakeJobState } from './fake-job.ts';
import type { FakeRequest, FakeState } from './fake-state.ts';

/** The bearer token of any agent, and of the gateway. */
export const AGENT_TOKEN = 'fake-agent-token';

export function requireAgentToken(request: FakeRequest): void {
  if (request.token !== AGENT_TOKEN) throw new ProblemError('unauthenticated', 'not the token of an agent');
}

/** The job of a live lease. A token that was one says 409, any other 401. */
export function requireLease(request: FakeRequest, state: FakeState): FakeJobState {
  const job = jobOf(request, state);
  if (job.token !== request.token) throw new ProblemError('lease_gone', `the lease on ${job.id} is gone`);
  return job;
}

/** The job this token was ever given for. */
export function jobOf(request: FakeRequest, state: FakeState): FakeJobState {
  const job = state.jobs.find(({ id }) => id === request.params.jobId);
  if (job === undefined || !job.leases.some(({ lease }) => lease.token === request.token)) {
    throw new ProblemError('unauthenticated', 'not a token of this job');
  }
  return job;
}
