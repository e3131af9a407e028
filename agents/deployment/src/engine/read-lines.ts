import type { IncomingMessage } from 'node:http';

/** Of a longer line the rest is left out: what prints it is not to be trusted with this process's memory. */
const MAX_LINE_BYTES = 32 * 1024;
const FRAME_HEADER_BYTES = 8;
/** The engine cuts messages at 16 KiB; a frame that claims far more is none. */
const MAX_FRAME_BYTES = 1024 * 1024;

/** Cuts text into lines; of a line that is too long it keeps the beginning. */
export function createLineCutter(onLine: (line: string) => void, maxBytes = MAX_LINE_BYTES) {
  let parts: Buffer[] = [];
  let heldBytes = 0;
  let cutBytes = 0;

  function take(part: Buffer): void {
    const room = Math.max(0, maxBytes - heldBytes);
    const kept = part.subarray(0, room);
    cutBytes += part.length - kept.length;
    if (kept.length === 0) return;
    // What holds it is a slice of a buffer that the reader goes on using.
    parts.push(Buffer.from(kept));
    heldBytes += kept.length;
  }

  function flush(): void {
    const text = Buffer.concat(parts).toString('utf8').replace(/\r$/, '');
    onLine(cutBytes === 0 ? text : `${text} … ${cutBytes} bytes were left out`);
    parts = [];
    heldBytes = 0;
    cutBytes = 0;
  }

  return {
    push(chunk: Buffer): void {
      let from = 0;
      for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
        take(chunk.subarray(from, end));
        flush();
        from = end + 1;
      }
      take(chunk.subarray(from));
    },
    end(): void {
      if (heldBytes > 0 || cutBytes > 0) flush();
    },
  };
}

/** `at` is the engine's own clock, to go on from later. */
export type LogSink = (stream: 'stdout' | 'stderr', line: string, at: string) => void;

/** Reads the engine's framed log with time stamps until it ends. */
export async function readFramedLog(response: IncomingMessage, onLine: LogSink): Promise<void> {
  let at = '';
  const cutters = {
    stdout: createLineCutter((line) => onLine('stdout', line, at)),
    stderr: createLineCutter((line) => onLine('stderr', line, at)),
  };
  for await (const { stream, payload } of framesOf(response)) {
    // Each message begins with its instant and a blank.
    const blank = payload.indexOf(32);
    if (blank === -1) continue;
    at = payload.toString('latin1', 0, blank);
    cutters[stream].push(payload.subarray(blank + 1));
  }
  cutters.stdout.end();
  cutters.stderr.end();
}

async function* framesOf(response: AsyncIterable<Buffer>) {
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of response) {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    for (;;) {
      if (held.length < FRAME_HEADER_BYTES) break;
      const sizeBytes = held.readUInt32BE(4);
      if (sizeBytes > MAX_FRAME_BYTES) throw new Error('the engine sent a frame that is too long');
      if (held.length < FRAME_HEADER_BYTES + sizeBytes) break;
      const payload = held.subarray(FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + sizeBytes);
      yield { stream: held[0] === 2 ? ('stderr' as const) : ('stdout' as const), payload };
      held = held.subarray(FRAME_HEADER_BYTES + sizeBytes);
    }
  }
}

/** Each line of an answer of JSON lines. */
export async function* readJsonLines(response: IncomingMessage): AsyncGenerator<unknown> {
  const lines: string[] = [];
  // A log message of a build is at most 1 MiB in the engine, more in base64.
  const cutter = createLineCutter((line) => lines.push(line), 4 * 1024 * 1024);
  for await (const chunk of response as AsyncIterable<Buffer>) {
    cutter.push(chunk);
    for (const line of lines.splice(0)) if (line.trim() !== '') yield JSON.parse(line);
  }
  cutter.end();
  for (const line of lines) if (line.trim() !== '') yield JSON.parse(line);
}
