import type { Clock } from './clock.ts';

export const MAX_LINE_BYTES = 8 * 1024;
/** What a person can follow and a log shipper can send is far below; a test's burst of a screenful is far above. */
export const MAX_LINES_PER_SECOND = 2_000;
export const MAX_BYTES_PER_SECOND = 512 * 1024;

export interface LineReader {
  add(chunk: Uint8Array): void;
  /** Hands on an unfinished last line and the note of a gap. */
  end(): void;
}

const NEWLINE = 0x0a;

/**
 * Cuts a stream into lines. Costs no more than a look at the bytes while the rate is exceeded, and
 * holds at most one line.
 */
export function openLineReader(clock: Clock, onLine: (line: string) => void): LineReader {
  const line = Buffer.alloc(MAX_LINE_BYTES);
  let length = 0;
  let cutFromLine = 0;
  let windowStartMs = clock.nowMs();
  let windowLines = 0;
  let windowBytes = 0;
  let droppedBytes = 0;

  function finishLine(): void {
    const ending = length > 0 && line[length - 1] === 0x0d && cutFromLine === 0 ? length - 1 : length;
    const text = line.toString('utf8', 0, ending);
    onLine(cutFromLine === 0 ? text : `${text} [… ${cutFromLine} more bytes in this line]`);
    length = 0;
    cutFromLine = 0;
    windowLines += 1;
  }

  function noteGap(): void {
    if (droppedBytes === 0) return;
    const bytes = droppedBytes;
    droppedBytes = 0;
    onLine(`[… ${bytes} bytes left out: too much output at once]`);
  }

  function isOverRate(): boolean {
    const nowMs = clock.nowMs();
    if (nowMs - windowStartMs >= 1_000) {
      windowStartMs = nowMs;
      windowLines = 0;
      windowBytes = 0;
    }
    return windowLines >= MAX_LINES_PER_SECOND || windowBytes >= MAX_BYTES_PER_SECOND;
  }

  function add(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (isOverRate()) {
        droppedBytes += chunk.length - at;
        return;
      }
      if (droppedBytes > 0) {
        // The reader is somewhere inside a line: go on with the next whole one.
        const next = chunk.indexOf(NEWLINE, at);
        if (next < 0) {
          droppedBytes += chunk.length - at;
          return;
        }
        droppedBytes += next + 1 - at + length;
        length = 0;
        cutFromLine = 0;
        at = next + 1;
        noteGap();
        continue;
      }
      const newline = chunk.indexOf(NEWLINE, at);
      const end = newline < 0 ? chunk.length : newline;
      const taken = Math.min(end - at, line.length - length);
      line.set(chunk.subarray(at, at + taken), length);
      length += taken;
      cutFromLine += end - at - taken;
      windowBytes += taken;
      at = end + 1;
      if (newline >= 0) finishLine();
    }
  }

  function end(): void {
    if (droppedBytes > 0) {
      droppedBytes += length;
      length = 0;
    } else if (length > 0) finishLine();
    noteGap();
  }

  return { add, end };
}
