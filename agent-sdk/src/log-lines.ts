import { MAX_LOG_LINE_BYTES } from '@dbox/contracts';

/** More lines than this in one call are not split off one by one: nobody reads them, and splitting costs memory. */
const MAX_LINES_A_CALL = 10_000;

/** The lines of a piece of output, each cut at the size the manager takes; a cut is marked. */
export function linesOf(text: string): readonly string[] {
  const lines = text.split(/\r\n|\n|\r/, MAX_LINES_A_CALL);
  if (lines.length > 1 && lines.at(-1) === '') lines.pop();
  return lines.map(cutLine);
}

export function cutLine(line: string): string {
  if (line.length * 3 <= MAX_LOG_LINE_BYTES) return line;
  const bytes = Buffer.from(line);
  if (bytes.length <= MAX_LOG_LINE_BYTES) return line;
  const mark = ` … (${bytes.length} bytes)`;
  let end = MAX_LOG_LINE_BYTES - Buffer.byteLength(mark);
  // Not in the middle of a character: 0b10xxxxxx continues one.
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end) + mark;
}
