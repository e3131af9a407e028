import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { LogLine } from '@dbox/contracts';
import { encodeLine } from './line-format.ts';
import type { Segment, SegmentedLog } from './segment.ts';

const APPEND = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
/** Lines are written together, and no more memory than this is used for it. */
const BATCH_BYTES = 64 * 1024;
const LINE_FEED = 10;

/** Appends in order. Nothing stays open, so an idle log costs nothing. */
export async function appendLines(log: SegmentedLog, lines: readonly LogLine[]): Promise<void> {
  let segments = await log.list();
  let batch: Buffer[] = [];
  let batchBytes = 0;
  const last = () => segments.at(-1);
  const flush = async () => {
    const segment = last();
    if (segment === undefined || batchBytes === 0) return;
    const written = await appendTo(segment, Buffer.concat(batch));
    segments = [...segments.slice(0, -1), written];
    batch = [];
    batchBytes = 0;
  };
  for (const line of lines) {
    const bytes = encodeLine(line);
    const room = (segment: Segment) => log.capacityOf(segment) - segment.sizeBytes - batchBytes;
    let segment = last();
    if (segment === undefined || room(segment) < bytes.length) {
      await flush();
      segment = last();
      // One line always fits into an empty segment, however long it is.
      if (segment === undefined || segment.sizeBytes > 0) segments = await log.beginSegment(segments);
    }
    batch.push(bytes);
    batchBytes += bytes.length;
    if (batchBytes >= BATCH_BYTES) await flush();
  }
  await flush();
}

/** A line that a crash or a full disk tore is ended first, so it costs no line but itself. */
async function appendTo(segment: Segment, bytes: Buffer): Promise<Segment> {
  const file = await open(segment.path, APPEND, 0o644);
  try {
    const { size } = await file.stat();
    const isTorn = size > 0 && (await lastByte(file, size)) !== LINE_FEED;
    await file.appendFile(isTorn ? Buffer.concat([Buffer.from('\n'), bytes]) : bytes);
    return { ...segment, sizeBytes: size + bytes.length + (isTorn ? 1 : 0) };
  } finally {
    await file.close();
  }
}

async function lastByte(file: Awaited<ReturnType<typeof open>>, size: number): Promise<number | undefined> {
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0];
}
