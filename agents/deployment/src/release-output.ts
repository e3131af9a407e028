import { type Clock, callManager } from '@dbox/agent-sdk';
import { type Client, createRedactor, type LogLine, type Redactor } from '@dbox/contracts';

/** What one release prints: kept for evidence, and sent to the manager in batches. */
export interface ReleaseOutput {
  push(stream: LogLine['stream'], text: string): void;
  /**
   * No value of these settings is kept or sent: each is replaced by its key. Before it is called nothing
   * is sent at all after `holdBack`.
   */
  hide(settings: Readonly<Record<string, string>>): void;
  /** Keeps lines to itself until `hide` says what must not be told. */
  holdBack(): void;
  /** What must not be told cannot be known: nothing of what it prints is. */
  withhold(why: string): void;
  /** The same for what else is told of this release. */
  redact(text: string): string;
  /** A new process begins: what the former one printed is no evidence against it. */
  beginProcess(): void;
  /** Lines of this process so far; of a talkative one the newest. */
  lines(): readonly string[];
  /** The end of them, for people. */
  tail(): string;
  /** Resolves when all is sent or cannot be any more. */
  flush(): Promise<void>;
  close(): void;
}

const MAX_KEPT_LINES = 2_000;
const TAIL_LINES = 50;
const TAIL_CHARS = 8_000;
/** A person who follows a log does not see 100 ms. */
const GATHER_MS = 100;
/** Well below the manager's 1 MiB for one body. */
const BATCH_CHARS = 256 * 1024;
/** While the manager is away: the newest megabyte of text. */
const MAX_WAITING_CHARS = 1024 * 1024;

export function createReleaseOutput(o: {
  readonly client: Client;
  readonly clock: Clock;
  readonly releaseId: string;
}): ReleaseOutput {
  const closing = new AbortController();
  let kept: string[] = [];
  const waiting: string[] = [];
  let waitingChars = 0;
  let droppedCount = 0;
  let sending: Promise<void> | null = null;
  let hurry = new AbortController();
  let redactor: Redactor = (text) => text;
  let isWithheld = false;
  let heldChars = 0;
  let held: Pick<LogLine, 'stream' | 'text'>[] | null = null;

  function enqueue(stream: LogLine['stream'], text: string): void {
    const line = JSON.stringify({
      at: new Date(o.clock.now()).toISOString(),
      stream,
      text,
    } satisfies LogLine);
    waiting.push(line);
    waitingChars += line.length;
    if (waitingChars <= MAX_WAITING_CHARS) return;
    // Half at once, so that a flood does not pay for each line.
    while (waitingChars > MAX_WAITING_CHARS / 2) {
      waitingChars -= waiting.shift()?.length ?? waitingChars;
      droppedCount += 1;
    }
  }

  function takeBatch(): string {
    if (droppedCount > 0) {
      const text = `… ${droppedCount} lines were left out`;
      droppedCount = 0;
      waiting.unshift(JSON.stringify({ at: new Date(o.clock.now()).toISOString(), stream: 'agent', text }));
    }
    let chars = 0;
    let count = 0;
    while (count < waiting.length && (count === 0 || chars + waiting[count]!.length < BATCH_CHARS)) {
      chars += waiting[count]!.length;
      count += 1;
    }
    const batch = waiting.splice(0, count);
    waitingChars = Math.max(0, waitingChars - chars);
    return `${batch.join('\n')}\n`;
  }

  function ensureSending(): void {
    sending ??= send().finally(() => {
      sending = null;
      if (waiting.length > 0 && !closing.signal.aborted) ensureSending();
    });
  }

  async function send(): Promise<void> {
    await o.clock.sleep(GATHER_MS, AbortSignal.any([hurry.signal, closing.signal]));
    while (waiting.length > 0 && !closing.signal.aborted) {
      const rawBody = takeBatch();
      await callManager(
        (signal) =>
          o.client.call('sendReleaseLogs', {
            params: { releaseId: o.releaseId },
            rawBody,
            headers: { 'content-type': 'application/x-ndjson' },
            signal,
          }),
        { caller: 'agent', signal: closing.signal, giveUpAfterMs: null, clock: o.clock },
        // A batch that is refused is lost; the lines after it still have their chance.
      ).catch(() => undefined);
    }
  }

  function take(stream: LogLine['stream'], text: string): void {
    kept.push(text);
    if (kept.length > MAX_KEPT_LINES * 2) kept = kept.slice(-MAX_KEPT_LINES);
    if (closing.signal.aborted) return;
    enqueue(stream, text);
    ensureSending();
  }

  return {
    hide(settings) {
      redactor = createRedactor(settings);
      const lines = held ?? [];
      held = null;
      heldChars = 0;
      isWithheld = false;
      for (const { stream, text } of lines) take(stream, redactor(text));
    },
    holdBack() {
      held ??= [];
    },
    withhold(why) {
      held = [];
      isWithheld = true;
      take('agent', `what this release prints is not shown: ${why}`);
    },
    redact: (text) => redactor(text),
    push(stream, text) {
      if (held === null) return take(stream, redactor(text));
      if (isWithheld) return;
      held.push({ stream, text });
      heldChars += text.length;
      if (heldChars <= MAX_WAITING_CHARS) return;
      const dropped = held.splice(0, Math.ceil(held.length / 2));
      heldChars -= dropped.reduce((sum, line) => sum + line.text.length, 0);
      droppedCount += dropped.length;
    },
    beginProcess() {
      kept = [];
    },
    lines: () => kept.slice(-MAX_KEPT_LINES),
    tail: () => kept.slice(-TAIL_LINES).join('\n').slice(-TAIL_CHARS),
    async flush() {
      hurry.abort();
      while (sending !== null) await sending;
      hurry = new AbortController();
    },
    close: () => closing.abort(),
  };
}
