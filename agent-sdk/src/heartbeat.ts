import type { Client } from '@dbox/contracts';
import type { AgentTiming } from './agent.ts';
import type { Clock } from './clock.ts';
import { LeaseGone } from './job-failure.ts';
import { classifyFailure } from './manager-client.ts';

export interface HeartbeatOptions {
  /** With the job's token. */
  readonly client: Client;
  readonly jobId: string;
  readonly clock: Clock;
  readonly timing: AgentTiming;
  /** Aborted by whoever ends the job. */
  readonly signal: AbortSignal;
}

/**
 * Keeps the lease until the signal is aborted, and resolves then. Rejects with `LeaseGone` as soon as
 * the lease is known or must be taken to be gone.
 *
 * The manager counts a lease from when it takes a beat, and that is after the beat was sent. So
 * one lease duration from the sending of the last answered beat, on a clock that never jumps, is an
 * end the manager cannot have passed before us, however the two hosts' clocks differ.
 */
export async function keepLease(options: HeartbeatOptions): Promise<void> {
  const { clock, timing, signal } = options;
  let endsMs = clock.monotonicMs() + timing.leaseDurationMs;
  let waitMs = timing.heartbeatIntervalMs;

  while (true) {
    await clock.sleep(Math.min(waitMs, Math.max(0, endsMs - clock.monotonicMs())), signal);
    if (signal.aborted) return;
    const sentMs = clock.monotonicMs();
    if (sentMs >= endsMs) throw new LeaseGone('the manager was not heard of for a whole lease');
    try {
      const answer = await beat(options, endsMs - sentMs);
      if (answer?.order === 'cancel') throw new LeaseGone('the job was cancelled');
      endsMs = sentMs + timing.leaseDurationMs;
      waitMs = timing.heartbeatIntervalMs;
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof LeaseGone) throw error;
      if (classifyFailure(error, 'job') !== 'retry' && !isTimeout(error)) {
        throw new LeaseGone('the manager gave the lease to another', { cause: error });
      }
      waitMs = timing.heartbeatRetryMs;
    }
  }
}

/** On a machine that is busy for a moment an answer may take this long whatever the interval. */
const SHORTEST_ANSWER_LIMIT_MS = 1_000;

/** One beat. An answer that hangs must not use up the lease: its next try is due when the next beat would have been. */
async function beat(options: HeartbeatOptions, leftMs: number) {
  const { clock, timing, signal } = options;
  const hung = new AbortController();
  const answered = new AbortController();
  const answerMs = timing.heartbeatIntervalMs - timing.heartbeatRetryMs;
  const limitMs = Math.min(leftMs, Math.max(SHORTEST_ANSWER_LIMIT_MS, answerMs));
  void clock
    .sleep(limitMs, answered.signal)
    .then(() => hung.abort(new DOMException('no answer', 'TimeoutError')));
  try {
    return await options.client.call('heartbeatJob', {
      params: { jobId: options.jobId },
      signal: AbortSignal.any([signal, hung.signal]),
    });
  } finally {
    answered.abort();
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'TimeoutError';
}
