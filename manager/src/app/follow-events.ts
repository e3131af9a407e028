import type { Event } from '@dbox/contracts';
import type { Store } from '../ports/store.ts';

const PAGE = 500;

/**
 * Every event after `after`, in order and without a gap, until the signal aborts: first what is
 * stored, then what is committed. A slow reader is never buffered for; it reads from the store again.
 */
export async function* followEvents(store: Store, after: number, signal: AbortSignal): AsyncGenerator<Event> {
  let wake: () => void = () => {};
  let news = false;
  const stop = store.onCommit((notice) => {
    if (notice.events.length === 0) return;
    news = true;
    wake();
  });
  const onAbort = () => wake();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    let cursor = after;
    while (!signal.aborted) {
      news = false;
      const events = await store.read((reader) => reader.events.list({ after: cursor, limit: PAGE }));
      for (const event of events) {
        if (signal.aborted) return;
        yield event;
        cursor = event.seq;
      }
      if (events.length === PAGE || news) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (news || signal.aborted) resolve();
      });
    }
  } finally {
    stop();
    signal.removeEventListener('abort', onAbort);
  }
}
