/** Encoded lines with a bounded memory: the beginning and the newest are kept, the middle is dropped and counted. */
export interface LineBuffer {
  push(line: string): void;
  readonly isEmpty: boolean;
  /** The oldest lines, up to about `maxBytes`, and no fewer than one. */
  take(maxBytes: number): readonly string[];
}

export interface LineBufferOptions {
  readonly maxBytes: number;
  /** The line that stands where others were dropped. */
  readonly mark: (lineCount: number) => string;
}

export function createLineBuffer(options: LineBufferOptions): LineBuffer {
  const halfBytes = Math.floor(options.maxBytes / 2);
  let head: string[] = [];
  let headBytes = 0;
  let tail: string[] = [];
  let tailStart = 0;
  let tailBytes = 0;
  let droppedCount = 0;

  function dropOldestOfTail(): void {
    while (tailBytes > halfBytes && tailStart < tail.length) {
      tailBytes -= byteLength(tail[tailStart]!);
      tailStart += 1;
      droppedCount += 1;
    }
    // Shifting one by one would copy the whole array each time.
    if (tailStart > 1024 && tailStart * 2 > tail.length) {
      tail = tail.slice(tailStart);
      tailStart = 0;
    }
  }

  return {
    get isEmpty() {
      return head.length === 0 && tailStart === tail.length && droppedCount === 0;
    },
    push(line) {
      const bytes = byteLength(line);
      const tailIsEmpty = tailStart === tail.length && droppedCount === 0;
      if (tailIsEmpty && headBytes + bytes <= halfBytes) {
        head.push(line);
        headBytes += bytes;
        return;
      }
      tail.push(line);
      tailBytes += bytes;
      dropOldestOfTail();
    },
    take(maxBytes) {
      if (head.length === 0) {
        if (droppedCount > 0) {
          head.push(options.mark(droppedCount));
          droppedCount = 0;
        }
        head = head.concat(tail.slice(tailStart));
        tail = [];
        tailStart = 0;
        tailBytes = 0;
      }
      let bytes = 0;
      let count = 0;
      while (count < head.length) {
        bytes += byteLength(head[count]!);
        if (count > 0 && bytes > maxBytes) break;
        count += 1;
      }
      const taken = head.slice(0, count);
      head = head.slice(count);
      headBytes = head.reduce((sum, line) => sum + byteLength(line), 0);
      return taken;
    },
  };
}

function byteLength(line: string): number {
  return Buffer.byteLength(line) + 1;
}
