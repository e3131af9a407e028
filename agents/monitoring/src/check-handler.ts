import type { JobHandler } from '@dbox/agent-sdk';
import { callManager } from '@dbox/agent-sdk';
import type { CheckResult, Client, Target } from '@dbox/contracts';
import { PROBE_TIMEOUT_MS } from '@dbox/probe';
import { lookAtRelease } from './look-at-release.ts';

/** A look over all that the manager kept of the release's output. */
const MAX_LOG_PAGES = 50;

/** One round for the checks of a job, against the address the release has now. */
export function createCheckHandler(o: {
  readonly client: Client;
  readonly probeHost: string;
}): JobHandler<'check'> {
  return async ({ payload, signal }) => {
    const { results } = await lookAtRelease({
      client: o.client,
      releaseId: payload.releaseId,
      target: await findTarget(o, payload.releaseId, signal),
      checks: payload.checks,
      withReachable: false,
      logCursor: null,
      maxLogPages: MAX_LOG_PAGES,
      timeoutMs: PROBE_TIMEOUT_MS,
      signal,
    });
    const byId = new Map(results.map((result) => [result.id, result]));
    // One result for each check that was asked for, in the same order.
    const checks = payload.checks.map(
      ({ id }): CheckResult =>
        byId.get(id) ?? {
          id,
          outcome: 'could_not_run',
          detail: 'A command is checked with the tests of a commit, not on a running release.',
          latencyMs: null,
        },
    );
    return { kind: 'check', outcome: 'succeeded', checks };
  };
}

/** Through the gateway, like any visitor; null where the gateway gives it no traffic. */
async function findTarget(
  o: { readonly client: Client; readonly probeHost: string },
  releaseId: string,
  signal: AbortSignal,
): Promise<Target | null> {
  const topology = await callManager(
    (signal) => o.client.call('followTopology', { query: { after: -1, waitMs: 0 }, signal }),
    { caller: 'agent', signal, giveUpAfterMs: null },
  );
  const route =
    topology?.watches.find((watch) => watch.releaseId === releaseId) ??
    topology?.routes.find((route) => route.releaseId === releaseId);
  return route === undefined ? null : { kind: 'tcp', host: o.probeHost, port: route.port };
}
