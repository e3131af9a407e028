import type { Clock } from './clock.ts';
import { createLineBuffer } from './line-buffer.ts';

/**
 * Sends lines in batches behind the caller's back. Lines arrive at least once: a batch whose answer
 * was lost is sent again.
 */
export interface LogShipper {
  /** One encoded NDJSON line, without its line break. Never throws, never waits. */
  push(line: string): void;
  /** Resolves when all that was pushed before is sent, or when that cannot be any more. */
  flush(): Promise<void>;
  /** Sends nothing more and forgets what is left. */
  close(): void;
}

export interface LogShipperOptions {
  /** Sends one batch, with retries of its own; rejects only when no batch can be sent any more. */
  readonly send: (ndjson: string, signal: AbortSignal) => Promise<void>;
  readonly mark: (droppedLineCount: number) => string;
  readonly clock: Clock;
}

/** A person who follows a log does not see 100 ms; a chatty test makes ten calls a second instead of thousands. */
const GATHER_MS = 100;
/** A quarter of what the manager takes in one body. */
const BATCH_BYTES = 256 * 1024;
/** Per job in flight: with the default capacity a few MiB in all when the manager is away. */
const BUFFER_BYTES = 1024 * 1024;

export function createLogShipper(options: LogShipperOptions): LogShipper {
  const buffer = createLineBuffer({ maxBytes: BUFFER_BYTES, mark: options.mark });
  const closing = new AbortController();
  let hurry = new AbortController();
  let sending: Promise<void> | null = null;

  async function drain(): Promise<void> {
    await options.clock.sleep(GATHER_MS, hurry.signal);
    while (!buffer.isEmpty && !closing.signal.aborted) {
      await options.send(`${buffer.take(BATCH_BYTES).join('\n')}\n`, closing.signal);
    }
  }

  function ensureSending(): Promise<void> {
    sending ??= drain()
      .catch(() => closing.abort())
      .finally(() => {
        sending = null;
        if (!buffer.isEmpty && !closing.signal.aborted) ensureSending();
      });
    return sending;
  }

  return {
    push(line) {
      if (closing.signal.aborted) return;
      buffer.push(line);
      ensureSending();
    },
    async flush() {
      hurry.abort();
      while (sending !== null) await sending;
      hurry = new AbortController();
    },
    close() {
      closing.abort();
      hurry.abort();
    },
  };
}
