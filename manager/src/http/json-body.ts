import { isUtf8 } from 'node:buffer';
import type { Finding } from '@dbox/contracts';
import { ProblemError } from '@dbox/contracts';

/**
 * Deeper JSON is refused unread: the contracts nest about ten deep, and code that walks JSON by
 * recursion runs out of stack from some thousands on.
 */
const MAX_DEPTH = 64;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** The JSON value of a body, or a problem that says where it breaks. */
export function parseJson(bytes: Buffer): unknown {
  if (bytes.length === 0) throw invalidJson('A JSON body is needed and none came.', null);
  if (!isUtf8(bytes)) throw invalidJson('The body is not UTF-8 text.', null);
  if (isDeeperThan(bytes, MAX_DEPTH)) {
    throw invalidJson(`The body is nested more than ${MAX_DEPTH} deep.`, null);
  }
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw invalidJson('The body is not valid JSON.', cause instanceof Error ? cause.message : null);
  }
}

/** One pass over the bytes; strings are jumped over. Text that is no JSON may be judged either way. */
export function isDeeperThan(bytes: Buffer, maxDepth: number): boolean {
  if (bytes.length <= maxDepth) return false;
  let depth = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at]!;
    if (byte === QUOTE) {
      at = endOfString(bytes, at);
    } else if (byte === 0x7b || byte === 0x5b) {
      depth += 1;
      if (depth > maxDepth) return true;
    } else if (byte === 0x7d || byte === 0x5d) {
      depth -= 1;
    }
  }
  return false;
}

/** Where the closing quote stands; the end of the text where there is none. */
function endOfString(bytes: Buffer, start: number): number {
  for (let at = bytes.indexOf(QUOTE, start + 1); at !== -1; at = bytes.indexOf(QUOTE, at + 1)) {
    let backslashes = 0;
    while (bytes[at - 1 - backslashes] === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return at;
  }
  return bytes.length;
}

function invalidJson(detail: string, parserMessage: string | null): ProblemError {
  if (parserMessage === null) return new ProblemError('invalid_request', detail);
  const position = /line (\d+) column (\d+)/.exec(parserMessage);
  const finding: Finding = {
    code: 'invalid_json',
    severity: 'error',
    file: 'body',
    line: Number(position?.[1] ?? 1),
    column: Number(position?.[2] ?? 1),
    path: '',
    message: parserMessage.slice(0, 300),
    hint: 'Send one JSON value in UTF-8.',
  };
  return new ProblemError('invalid_request', detail, { findings: [finding] });
}
