import type { Client, JobKind, Lease } from '@dbox/contracts';
import type { Clock } from './clock.ts';
import { callManager, classifyFailure } from './manager-client.ts';

export interface LeaseLoopOptions {
  readonly client: Client;
  readonly kinds: readonly JobKind[];
  readonly capacity: number;
  readonly leaseWaitMs: number;
  readonly clock: Clock;
  readonly agentId: () => string;
  /** Called when the manager does not know this agent any more. */
  readonly register: (signal: AbortSignal) => Promise<void>;
  /** Works on the job; must not reject. */
  readonly run: (lease: Lease) => Promise<unknown>;
  readonly warn: (message: string, data: object) => void;
}

export interface LeaseLoop {
  start(): void;
  /** One long poll. True where it brought a job, which is running when this resolves. */
  tick(): Promise<boolean>;
  /** Asks for no more jobs; resolves once none is being asked for. May be called twice. */
  stop(): Promise<void>;
  readonly running: ReadonlySet<Promise<unknown>>;
}

/** An answer that is late by this much on top of the poll itself counts as lost. */
const LATE_MS = 10_000;
/** A call that is wrong in itself is not mended by repeating it quickly. */
const FINAL_FAILURE_WAIT_MS = 5_000;

/** Keeps one long poll outstanding while there is a free slot, so that a job starts as soon as it is queued. */
export function createLeaseLoop(o: LeaseLoopOptions): LeaseLoop {
  const stopping = new AbortController();
  const running = new Set<Promise<unknown>>();
  let looping: Promise<void> | null = null;
  let wakeSlot = () => {};
  stopping.signal.addEventListener('abort', () => wakeSlot(), { once: true });

  async function poll(): Promise<Lease | null> {
    const late = AbortSignal.timeout(o.leaseWaitMs + LATE_MS);
    return await o.client.call('leaseJob', {
      body: { agentId: o.agentId(), kinds: [...o.kinds], waitMs: o.leaseWaitMs },
      signal: AbortSignal.any([stopping.signal, late]),
    });
  }

  async function tick(): Promise<boolean> {
    const lease = await callManager(poll, {
      caller: 'agent',
      signal: stopping.signal,
      giveUpAfterMs: null,
      clock: o.clock,
      onRetry: (error, tryCount) => {
        if (tryCount === 1) o.warn('the manager does not answer; trying on', { error: messageOf(error) });
      },
    });
    if (lease === null) return false;
    const job = o.run(lease).finally(() => {
      running.delete(job);
      wakeSlot();
    });
    running.add(job);
    return true;
  }

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      if (running.size >= o.capacity) {
        await new Promise<void>((resolve) => {
          wakeSlot = resolve;
        });
        continue;
      }
      try {
        await tick();
      } catch (error) {
        if (stopping.signal.aborted) return;
        await recover(error);
      }
    }
  }

  async function recover(error: unknown): Promise<void> {
    try {
      if (classifyFailure(error, 'agent') === 'unknown_agent') return await o.register(stopping.signal);
    } catch (cause) {
      error = cause;
    }
    if (stopping.signal.aborted || (error as Error).name === 'TimeoutError') return;
    o.warn('the manager refuses to hand out jobs', { error: messageOf(error) });
    await o.clock.sleep(FINAL_FAILURE_WAIT_MS, stopping.signal);
  }

  return {
    running,
    tick,
    start() {
      looping ??= loop();
    },
    async stop() {
      stopping.abort(new Error('the agent is stopping'));
      await looping;
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
