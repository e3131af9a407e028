import { mkdir } from 'node:fs/promises';
import type { JobKind } from '@dbox/contracts';
import {
  createClient,
  HEARTBEAT_INTERVAL_MS,
  HEARTBEAT_RETRY_MS,
  LEASE_DURATION_MS,
  MAX_LEASE_WAIT_MS,
} from '@dbox/contracts';
import type { AgentOptions, AgentTiming, LogLevel, RunningAgent } from './agent.ts';
import { systemClock } from './clock.ts';
import { createLeaseLoop } from './lease-loop.ts';
import { cutLine } from './log-lines.ts';
import { createLogShipper } from './log-shipper.ts';
import { callManager } from './manager-client.ts';
import { runJob } from './run-job.ts';
import { removeLeftovers } from './scratch.ts';

const DEFAULT_TIMING: AgentTiming = {
  heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
  heartbeatRetryMs: HEARTBEAT_RETRY_MS,
  leaseDurationMs: LEASE_DURATION_MS,
  leaseWaitMs: MAX_LEASE_WAIT_MS,
  abortGraceMs: 10_000,
};
const DEFAULT_STOP_GRACE_MS = 10_000;
/** The last lines of a stopping agent are not worth waiting long for. */
const LAST_LOGS_MS = 1_000;

/** Resolves once registered; keeps trying while the manager cannot be reached. A refused token rejects. */
export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  const clock = options.clock ?? systemClock;
  const timing = { ...DEFAULT_TIMING, ...options.timing };
  const client = createClient({ baseUrl: options.managerUrl, token: options.token });
  const force = new AbortController();
  const removals = new Set<Promise<void>>();
  let agentId = '';

  await removeLeftovers(options.stateDir);
  await mkdir(options.stateDir, { recursive: true });

  const shipper = createLogShipper({
    clock,
    mark: (count) => serviceLine('warn', 'log lines were left out', { count }),
    send: async (ndjson, signal) => {
      await callManager(
        (signal) =>
          client.call('sendAgentLogs', {
            params: { agentId },
            rawBody: ndjson,
            headers: { 'content-type': 'application/x-ndjson' },
            signal,
          }),
        { caller: 'agent', signal, giveUpAfterMs: null, clock },
        // A batch that is refused is lost; the lines after it still have their chance.
      ).catch(() => undefined);
    },
  });

  function serviceLine(level: LogLevel, message: string, data?: object): string {
    const fixed = { at: new Date(clock.now()).toISOString(), level, message: cutLine(message) };
    try {
      const line = JSON.stringify({ ...fixed, ...data, ...fixed });
      if (cutLine(line) === line) return line;
    } catch {
      // What cannot be written as JSON is left out; the message itself always can.
    }
    return JSON.stringify(fixed);
  }

  function log(level: LogLevel, message: string, data?: object): void {
    const line = serviceLine(level, message, data);
    options.echo?.(line);
    shipper.push(line);
  }

  async function register(signal?: AbortSignal): Promise<void> {
    const { kind, name, version, capacity, warnings } = options;
    const body = { kind, name, version, capacity, labels: [], warnings: [...warnings] };
    const answer = await callManager((signal) => client.call('registerAgent', { body, signal }), {
      caller: 'agent',
      giveUpAfterMs: null,
      clock,
      ...(signal ? { signal } : {}),
    });
    agentId = answer!.agentId;
  }

  await register();
  const warn = (message: string, data: object) => log('warn', message, data);
  const kinds = Object.keys(options.handlers) as JobKind[];
  const loop = createLeaseLoop({
    client,
    kinds,
    capacity: options.capacity,
    leaseWaitMs: timing.leaseWaitMs,
    clock,
    agentId: () => agentId,
    register,
    warn,
    run: (lease) =>
      runJob({
        lease,
        client: client.withToken(lease.lease.token),
        handlers: options.handlers,
        stateDir: options.stateDir,
        clock,
        timing,
        force: force.signal,
        warn,
        cleanUp(removal) {
          removals.add(removal);
          void removal.finally(() => removals.delete(removal));
        },
      }),
  });
  if (kinds.length > 0) loop.start();
  log('info', 'agent started', { kind: options.kind, name: options.name, version: options.version });

  let stopped: Promise<void> | null = null;
  async function stop(graceMs: number): Promise<void> {
    await loop.stop();
    const patience = new AbortController();
    const all = Promise.allSettled(loop.running);
    await Promise.race([all, clock.sleep(graceMs, patience.signal)]);
    patience.abort();
    force.abort(new Error('the agent is stopping'));
    await all;
    await Promise.all(removals);
    const last = new AbortController();
    await Promise.race([shipper.flush(), clock.sleep(LAST_LOGS_MS, last.signal)]);
    last.abort();
    shipper.close();
  }

  return {
    get agentId() {
      return agentId;
    },
    client,
    log,
    stop(stopOptions) {
      stopped ??= stop(stopOptions?.graceMs ?? DEFAULT_STOP_GRACE_MS);
      return stopped;
    },
  };
}
