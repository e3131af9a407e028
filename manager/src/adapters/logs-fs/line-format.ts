import { type LogLine, MAX_LOG_LINE_BYTES } from '@dbox/contracts';

const CUT = '… [cut]';

/**
 * One line of a log file, with its line feed. A service's lines hold JSON themselves; they are
 * written flat, `{at, level, message, …}`, as people and log tools expect them.
 */
export function encodeLine(line: LogLine): Buffer {
  const text = cutText(line.text);
  const fields = line.stream === 'agent' ? parseFields(text) : null;
  const written = fields ? { at: line.at, ...fields } : { at: line.at, stream: line.stream, text };
  return Buffer.from(`${JSON.stringify(written)}\n`);
}

/** Null for what is no log line, such as one that a crash tore. */
export function decodeLine(bytes: Buffer): LogLine | null {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { at, ...rest } = value as Record<string, unknown>;
  if (typeof at !== 'string') return null;
  if (typeof rest.message === 'string') return { at, stream: 'agent', text: JSON.stringify(rest) };
  const { stream, text } = rest;
  if (stream !== 'stdout' && stream !== 'stderr' && stream !== 'agent') return null;
  return typeof text === 'string' ? { at, stream, text } : null;
}

/** Stands where lines were left out. */
export function cutMark(at: string, cutBytes: number): LogLine {
  return { at, stream: 'agent', text: `… ${cutBytes} bytes of this log were left out here …` };
}

/** Senders cut their lines; whoever does not is cut here, so that one line cannot fill a log. */
function cutText(text: string): string {
  if (Buffer.byteLength(text) <= MAX_LOG_LINE_BYTES) return text;
  const whole = Buffer.from(text.slice(0, MAX_LOG_LINE_BYTES)).subarray(0, MAX_LOG_LINE_BYTES - CUT.length);
  return `${whole.toString('utf8')}${CUT}`;
}

function parseFields(text: string): Record<string, unknown> | null {
  if (!text.startsWith('{')) return null;
  try {
    const value = JSON.parse(text) as Record<string, unknown>;
    return typeof value.message === 'string' && !Object.hasOwn(value, 'at') ? value : null;
  } catch {
    return null;
  }
}
