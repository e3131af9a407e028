import type { ServerResponse } from 'node:http';
import type { Event } from '@dbox/contracts';
import type { Clock } from '../ports/clock.ts';

/** Shorter than the 30 to 60 s after which proxies drop a silent connection. */
const HEARTBEAT_MS = 15_000;
/** A reader that takes nothing for this long is cut off; with `Last-Event-ID` it loses nothing. */
const STALLED_READER_MS = 60_000;

/**
 * Server-sent events, each with its sequence number as id, until the events end or the client is gone.
 * Waits for a slow reader rather than pile events up. Resolves once nothing more will be written.
 */
export async function writeEvents(
  outgoing: ServerResponse,
  events: AsyncIterable<Event>,
  clock: Clock,
): Promise<void> {
  outgoing.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // Proxies of the nginx family would hold events back.
    'x-accel-buffering': 'no',
  });
  if (outgoing.req.method === 'HEAD') {
    outgoing.end();
    return;
  }
  outgoing.write(': connected\n\n');
  const stopHeartbeat = every(clock, HEARTBEAT_MS, () => {
    if (!outgoing.writableNeedDrain) outgoing.write(': heartbeat\n\n');
  });
  const iterator = events[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await orClosed<IteratorResult<Event>>(outgoing, (resolve, reject) => {
        iterator.next().then(resolve, reject);
      });
      if (next === null || next.done) break;
      if (!outgoing.write(eventText(next.value))) await drained(outgoing, clock);
    }
  } finally {
    stopHeartbeat();
    // Not awaited: a generator that still waits for its next event returns when its signal fires.
    iterator.return?.().catch(() => {});
  }
  outgoing.end();
}

function eventText(event: Event): string {
  return `id: ${event.seq}\nevent: ${event.type.replaceAll(/[\r\n]/g, ' ')}\ndata: ${JSON.stringify(event)}\n\n`;
}

async function drained(outgoing: ServerResponse, clock: Clock): Promise<void> {
  const cancel = clock.after(STALLED_READER_MS, () => outgoing.destroy());
  await orClosed<void>(outgoing, (resolve) => outgoing.once('drain', resolve));
  cancel();
}

/**
 * What `wait` brings, or null once the connection is closed. A listener a wait, removed after it:
 * racing with one long-lived promise would keep every event of the stream in memory.
 */
function orClosed<T>(
  outgoing: ServerResponse,
  wait: (resolve: (value: T) => void, reject: (error: unknown) => void) => void,
): Promise<T | null> {
  if (outgoing.destroyed) return Promise.resolve(null);
  return new Promise<T | null>((resolve, reject) => {
    const onClose = () => resolve(null);
    const settle =
      <A>(end: (value: A) => void) =>
      (value: A) => {
        outgoing.off('close', onClose);
        end(value);
      };
    outgoing.once('close', onClose);
    wait(settle<T>(resolve), settle(reject));
  });
}

function every(clock: Clock, intervalMs: number, tick: () => void): () => void {
  let cancel = clock.after(intervalMs, beat);
  function beat() {
    cancel = clock.after(intervalMs, beat);
    tick();
  }
  return () => cancel();
}
