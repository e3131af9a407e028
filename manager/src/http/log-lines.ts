import type { Readable } from 'node:stream';
import { LogLine, MAX_LOG_LINE_BYTES, ProblemError } from '@dbox/contracts';

/** Lines of one request; whoever has more sends another. Bounds the memory of a body of tiny lines. */
const MAX_LINES = 20_000;

/** The NDJSON lines of a body that the server has limited already. A line that is none refuses the whole body. */
export async function readLogLines(bytes: Readable | null): Promise<LogLine[]> {
  if (bytes === null) return [];
  const chunks: Buffer[] = [];
  for await (const chunk of bytes) chunks.push(chunk as Buffer);
  const lines: LogLine[] = [];
  for (const text of Buffer.concat(chunks).toString('utf8').split('\n')) {
    if (text.trim() === '') continue;
    if (lines.length === MAX_LINES)
      throw new ProblemError('payload_too_large', `at most ${MAX_LINES} lines a request`);
    lines.push(parseLine(text));
  }
  return lines;
}

/** Job and release lines are `{at, stream, text}`; a service's own are `{at, level, message, …}` and kept whole as text. */
function parseLine(text: string): LogLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ProblemError('invalid_request', 'a log line is no JSON object', { cause });
  }
  const line = LogLine.safeParse(value);
  if (line.success) return { ...line.data, text: line.data.text.slice(0, MAX_LOG_LINE_BYTES) };
  if (typeof value === 'object' && value !== null && 'message' in value && 'at' in value) {
    const { at, ...rest } = value as { at: unknown; message: unknown };
    return {
      at: String(at).slice(0, 40),
      stream: 'agent',
      text: JSON.stringify(rest).slice(0, MAX_LOG_LINE_BYTES),
    };
  }
  throw new ProblemError(
    'invalid_request',
    'a log line needs `at`, `stream` and `text`, or `at`, `level` and `message`',
  );
}
