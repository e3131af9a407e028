import type { Client, JobResult, Lease } from '@dbox/contracts';
import { ProblemError } from '@dbox/contracts';
import type { AgentOptions, AgentTiming, HandledKind, JobHandler } from './agent.ts';
import type { Clock } from './clock.ts';
import { failedResult } from './failed-result.ts';
import { keepLease } from './heartbeat.ts';
import { createJobContext } from './job-context.ts';
import { LeaseGone } from './job-failure.ts';
import { createLogShipper } from './log-shipper.ts';
import { callManager, classifyFailure } from './manager-client.ts';
import { makeScratchDir, removeTree, scratchPath } from './scratch.ts';

export type JobEnd = 'confirmed' | 'lease_gone' | 'stopped' | 'unconfirmed';

export interface RunJobOptions {
  readonly lease: Lease;
  /** With the job's token. */
  readonly client: Client;
  readonly handlers: AgentOptions['handlers'];
  readonly stateDir: string;
  readonly clock: Clock;
  readonly timing: AgentTiming;
  /** Aborted to force the job to stop without a result. */
  readonly force: AbortSignal;
  readonly warn: (message: string, data: object) => void;
  /** Is given the removal of the scratch tree, so that a large one holds up no next job. Never rejects. */
  readonly cleanUp: (removal: Promise<void>) => void;
}

/** Long enough for any restart of the manager; a result it cannot take for so long is given up, and the lease with it. */
const RESULT_GIVE_UP_MS = 5 * 60_000;
/** Logs are worth less than the hand-off: a manager that does not take them holds the result up so long at most. */
const LAST_LOGS_MS = 2_000;

/**
 * Runs one leased job from scratch directory to confirmed result. Never rejects.
 *
 * Order: the result is sent while the lease is still kept, and the scratch tree is removed only when
 * nothing can need it any more. Once the lease is gone nothing is sent at all.
 */
export async function runJob(o: RunJobOptions): Promise<JobEnd> {
  const { lease, client, clock, timing } = o;
  const about = { jobId: lease.job.id, kind: lease.payload.kind, fence: lease.lease.fence };
  const gone = new AbortController();
  const done = new AbortController();
  const signal = AbortSignal.any([gone.signal, o.force]);
  const beating = keepLease({
    client,
    jobId: lease.job.id,
    clock,
    timing,
    signal: AbortSignal.any([done.signal, o.force]),
  }).catch((error: unknown) => gone.abort(error));
  const shipper = createLogShipper({
    clock,
    mark: (count) =>
      JSON.stringify({
        at: new Date(clock.now()).toISOString(),
        stream: 'agent',
        text: `… ${count} lines were left out …`,
      }),
    send: async (ndjson, closing) => {
      await callManager((signal) => client.call('sendJobLogs', logCall(lease.job.id, ndjson, signal)), {
        caller: 'job',
        signal: AbortSignal.any([signal, closing]),
        giveUpAfterMs: null,
        clock,
      });
    },
  });

  const scratchDir = scratchPath(o.stateDir, lease.job.id, lease.lease.fence);
  try {
    const context = createJobContext({ lease, client, scratchDir, signal, shipper, clock });
    const result = await untilAborted(handle(o, context), signal, o);
    if (result === null) return endOf(o.force);
    const patience = new AbortController();
    await Promise.race([
      shipper.flush(),
      clock.sleep(LAST_LOGS_MS, AbortSignal.any([signal, patience.signal])),
    ]);
    patience.abort();
    return await sendResult(o, result);
  } catch (error) {
    if (!signal.aborted) o.warn('a job could not be run', { ...about, error: messageOf(error) });
    return signal.aborted ? endOf(o.force) : 'unconfirmed';
  } finally {
    shipper.close();
    done.abort();
    await beating;
    o.cleanUp(
      removeTree(scratchDir).catch((error: unknown) =>
        o.warn('a scratch tree could not be removed', { ...about, error: messageOf(error) }),
      ),
    );
  }
}

function endOf(force: AbortSignal): JobEnd {
  return force.aborted ? 'stopped' : 'lease_gone';
}

async function handle(o: RunJobOptions, context: ReturnType<typeof createJobContext>): Promise<JobResult> {
  const handler = o.handlers[o.lease.payload.kind] as JobHandler<HandledKind> | undefined;
  try {
    if (handler === undefined) throw new Error(`this agent has no handler for ${o.lease.payload.kind} jobs`);
    await makeScratchDir(context.scratchDir);
    return await handler(context);
  } catch (error) {
    if (!context.signal.aborted && !(error instanceof LeaseGone)) {
      o.warn('a job failed', { jobId: o.lease.job.id, error: messageOf(error), stack: stackOf(error) });
    }
    return failedResult(o.lease.payload, error);
  }
}

/** The handler's result, or null once the signal is aborted and the handler has had its grace to end. */
async function untilAborted(
  running: Promise<JobResult>,
  signal: AbortSignal,
  o: RunJobOptions,
): Promise<JobResult | null> {
  const ended = new AbortController();
  const grace = new Promise<'abandoned'>((resolve) => {
    const wait = () =>
      void o.clock.sleep(o.timing.abortGraceMs, ended.signal).then(() => resolve('abandoned'));
    if (signal.aborted) wait();
    else signal.addEventListener('abort', wait, { once: true });
  });
  const first = await Promise.race([running, grace]);
  ended.abort();
  if (first === 'abandoned') {
    o.warn('a job did not stop when it was told to', { jobId: o.lease.job.id });
    return null;
  }
  return signal.aborted ? null : first;
}

/**
 * From here on the answers to the result itself decide, not the heartbeat: one that follows a result
 * whose answer was lost is told that the lease is over, and a stale result is refused by its fence.
 */
async function sendResult(o: RunJobOptions, result: JobResult): Promise<JobEnd> {
  const { client, clock, lease } = o;
  const send = (body: JobResult) =>
    callManager((signal) => client.call('completeJob', { params: { jobId: lease.job.id }, body, signal }), {
      caller: 'job',
      signal: o.force,
      giveUpAfterMs: RESULT_GIVE_UP_MS,
      clock,
    });
  try {
    await send(result).catch(async (error: unknown) => {
      // The manager will never take this one, and without any the job would be repeated for ever.
      if (classifyFailure(error, 'job') !== 'final' || !(error instanceof ProblemError)) throw error;
      o.warn('a result was refused', { jobId: lease.job.id, error: error.message });
      await send(failedResult(lease.payload, new Error(`the result was refused: ${error.message}`)));
    });
    return 'confirmed';
  } catch (error) {
    if (o.force.aborted) return 'stopped';
    if (classifyFailure(error, 'job') === 'gone') return 'lease_gone';
    o.warn('a result could not be sent', { jobId: lease.job.id, error: messageOf(error) });
    return 'unconfirmed';
  }
}

function logCall(jobId: string, rawBody: string, signal: AbortSignal | undefined) {
  return { params: { jobId }, rawBody, headers: { 'content-type': 'application/x-ndjson' }, signal };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack?.slice(0, 4000) : undefined;
}
