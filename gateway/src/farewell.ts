import type { Duplex } from 'node:stream';

/** Close, with status 1001 "going away" (RFC 6455 §7.4.1): a client that sees it connects anew. */
const GOING_AWAY = Buffer.from([0x88, 0x02, 0x03, 0xe9]);
const OPCODE_CLOSE = 0x8;

/**
 * Says goodbye to a visitor whose WebSocket ends because its release is stopped, where the release
 * has not done so itself: else the visitor's side could not tell it from a broken line. Must be set
 * up before what the release sends is piped on.
 */
export function sayFarewell(client: Duplex, release: Duplex): void {
  const frames = createFrameTracker();
  let isDone = false;
  const farewell = () => {
    if (isDone) return;
    isDone = true;
    // In the middle of a frame it would be read as a part of that frame.
    if (frames.isBetweenFrames && !frames.hasClosed && client.writable) client.write(GOING_AWAY);
  };
  // What came with the head of the answer is put back and piped in this same step: a listener that is
  // there before would be given it, and the visitor would not.
  process.nextTick(() => release.on('data', (chunk: Buffer) => frames.push(chunk)));
  release.once('end', farewell);
  release.once('error', farewell);
  release.once('close', farewell);
}

interface FrameTracker {
  push(chunk: Uint8Array): void;
  readonly isBetweenFrames: boolean;
  /** A close frame has gone by. */
  readonly hasClosed: boolean;
}

/** Where frames begin and end (RFC 6455 §5.2); payloads are skipped unread. */
export function createFrameTracker(): FrameTracker {
  let header: number[] = [];
  let payloadLeft = 0;
  let hasClosed = false;

  function headerLength(): number {
    if (header.length < 2) return 2;
    const second = header[1]!;
    const length = second & 0x7f;
    return 2 + (length === 126 ? 2 : length === 127 ? 8 : 0) + (second & 0x80 ? 4 : 0);
  }

  function payloadLength(): number {
    const length = header[1]! & 0x7f;
    if (length < 126) return length;
    return header.slice(2, length === 126 ? 4 : 10).reduce((sum, byte) => sum * 256 + byte, 0);
  }

  return {
    push(chunk) {
      for (let at = 0; at < chunk.length; ) {
        if (payloadLeft > 0) {
          const skipped = Math.min(payloadLeft, chunk.length - at);
          payloadLeft -= skipped;
          at += skipped;
          continue;
        }
        header.push(chunk[at]!);
        at += 1;
        if (header.length < headerLength()) continue;
        if ((header[0]! & 0x0f) === OPCODE_CLOSE) hasClosed = true;
        payloadLeft = payloadLength();
        header = [];
      }
    },
    get isBetweenFrames() {
      return payloadLeft === 0 && header.length === 0;
    },
    get hasClosed() {
      return hasClosed;
    },
  };
}
