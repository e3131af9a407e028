import type { Event } from '@dbox/contracts';
import { UnreachableError } from '@dbox/contracts/client';
import { ProblemError } from '@dbox/contracts/errors';
import type { BoxConnection } from './box-connection.ts';
import type { Clock } from './clock.ts';
import { CliError } from './failure.ts';
import { createMessageParser } from './server-sent-events.ts';

/** The box sends a heartbeat comment at least every 15 s; three missed ones mean a dead connection. */
const SILENCE_LIMIT_MS = 45_000;
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 2_000;

export interface FollowEvents {
  readonly box: BoxConnection;
  readonly clock: Clock;
  /** Ends the stream without an error. */
  readonly signal: AbortSignal;
  /** The event to go on after; null is from now on. */
  readonly after: number | null;
  readonly onConnection?: (state: 'up' | 'down') => void;
}

/**
 * Events without a gap and without repeats, across restarts of the box. Throws only where another
 * try cannot help, such as a refused token.
 */
export async function* followEvents(follow: FollowEvents): AsyncGenerator<Event> {
  let after = follow.after;
  let retryMs = FIRST_RETRY_MS;
  let told: 'up' | 'down' | null = null;
  const tell = (state: 'up' | 'down'): void => {
    if (told !== state) follow.onConnection?.(state);
    told = state;
  };

  while (!follow.signal.aborted) {
    try {
      for await (const event of readOnce(follow, after)) {
        tell('up');
        retryMs = FIRST_RETRY_MS;
        if (event === 'connected' || (after !== null && event.seq <= after)) continue;
        after = event.seq;
        yield event;
      }
    } catch (error) {
      if (follow.signal.aborted) return;
      if (!isPassing(error)) throw error;
    }
    if (follow.signal.aborted) return;
    tell('down');
    await follow.clock.sleep(retryMs, follow.signal);
    retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
  }
}

/** Whether the same call may work a little later: the box is away, starting or stopping. */
export function isPassing(error: unknown): boolean {
  if (error instanceof UnreachableError) return true;
  if (error instanceof CliError) return error.code === 'box_unreachable';
  return error instanceof ProblemError && (error.code === 'stopping' || error.code === 'store_unavailable');
}

async function* readOnce(follow: FollowEvents, after: number | null): AsyncGenerator<Event | 'connected'> {
  const attempt = new AbortController();
  const abort = (): void => attempt.abort();
  follow.signal.addEventListener('abort', abort);
  const silence = createSilenceWatch(follow.clock, abort);
  let body: ReadableStream<Uint8Array> | null = null;
  try {
    const response = await follow.box.raw('streamEvents', {
      query: after === null ? {} : { after },
      headers: { accept: 'text/event-stream', ...(after === null ? {} : { 'last-event-id': String(after) }) },
      signal: attempt.signal,
    });
    body = response.body;
    if (body === null) throw new UnreachableError('the event stream has no body');
    yield 'connected';
    const parse = createMessageParser();
    const decoder = new TextDecoder();
    for await (const chunk of body) {
      silence.heard();
      for (const message of parse(decoder.decode(chunk, { stream: true }))) {
        const event = JSON.parse(message.data) as Partial<Event>;
        if (typeof event.seq === 'number') yield event as Event;
      }
    }
  } catch (error) {
    if (error instanceof ProblemError || error instanceof CliError) throw error;
    throw new UnreachableError('the event stream broke off', { cause: error });
  } finally {
    silence.stop();
    follow.signal.removeEventListener('abort', abort);
    attempt.abort();
  }
}

function createSilenceWatch(clock: Clock, onSilence: () => void): { heard(): void; stop(): void } {
  const over = new AbortController();
  let heardAt = clock.now();
  void (async () => {
    while (!over.signal.aborted) {
      await clock.sleep(SILENCE_LIMIT_MS / 3, over.signal);
      if (!over.signal.aborted && clock.now() - heardAt > SILENCE_LIMIT_MS) return onSilence();
    }
  })();
  return {
    heard: () => {
      heardAt = clock.now();
    },
    stop: () => over.abort(),
  };
}
