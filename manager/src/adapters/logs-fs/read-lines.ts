import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { LogLine } from '@dbox/contracts';
import { isMissing } from '../durable-file.ts';
import { cutMark, decodeLine } from './line-format.ts';
import { endOf, type Segment, type SegmentedLog } from './segment.ts';

const CHUNK_BYTES = 64 * 1024;
/** An answer stays within this, whatever the limit; the next one goes on where it ended. */
const MAX_READ_BYTES = 4 * 1024 * 1024;
const LINE_FEED = 10;

/** Whole lines from a position in the log's stream on, and the position behind them. */
export async function readLines(
  log: SegmentedLog,
  query: { readonly position: number; readonly limit: number },
): Promise<{ lines: LogLine[]; position: number }> {
  const segments = await log.list();
  const last = segments.at(-1);
  if (last === undefined) return { lines: [], position: query.position };
  const lines: LogLine[] = [];
  let budgetBytes = MAX_READ_BYTES;
  // A log that was removed begins anew; who stood further on goes on with its end.
  let position = Math.min(query.position, endOf(last));

  for (const segment of segments) {
    if (endOf(segment) <= position) continue;
    const from = Math.max(position, segment.start);
    let cutBytes = from - position;
    for await (const { bytes, end } of linesOf(segment, from)) {
      if (lines.length >= query.limit || budgetBytes <= 0) return { lines, position };
      const line = decodeLine(bytes);
      if (line !== null && cutBytes > 0) {
        lines.push(cutMark(line.at, cutBytes));
        cutBytes = 0;
        // The cut is told of once; the line behind it may be left to the next answer.
        position = end - bytes.length - 1;
        if (lines.length >= query.limit) return { lines, position };
      }
      if (line !== null) lines.push(line);
      if (cutBytes === 0) position = end;
      budgetBytes -= bytes.length;
    }
    // Only the last one is still written to: elsewhere a line without an end was torn for good.
    if (segment !== last && cutBytes === 0) position = endOf(segment);
  }
  return { lines, position };
}

/** Lines that have their line feed, each with the position behind it. */
async function* linesOf(segment: Segment, from: number): AsyncGenerator<{ bytes: Buffer; end: number }> {
  const file = await open(segment.path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: unknown) => {
    if (isMissing(error)) return null;
    throw error;
  });
  if (file === null) return;
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    let rest = Buffer.alloc(0);
    let position = from;
    for (;;) {
      const at = position - segment.start + rest.length;
      const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, at);
      if (bytesRead === 0) return;
      rest = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
      for (let end = rest.indexOf(LINE_FEED); end >= 0; end = rest.indexOf(LINE_FEED)) {
        position += end + 1;
        yield { bytes: rest.subarray(0, end), end: position };
        rest = rest.subarray(end + 1);
      }
    }
  } finally {
    await file.close();
  }
}
