import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isMissing } from '../durable-file.ts';
import { endOf, type Segment, type SegmentedLog } from './segment.ts';

/** Two segments take turns, so that dropping one leaves a whole tail. */
const TAIL_SEGMENTS = 2;

/**
 * `<id>.log` holds the head. What does not fit goes to `<id>.tail/<start>.log`; of those the last two
 * stay, so at least `tailBytes` of the end are there and at most `headBytes + 2 × tailBytes` in all.
 */
export function headAndTailLog(input: {
  readonly directory: string;
  readonly id: string;
  readonly headBytes: number;
  readonly tailBytes: number;
}): SegmentedLog {
  const head = join(input.directory, `${input.id}.log`);
  const tail = join(input.directory, `${input.id}.tail`);
  const segmentAt = (start: number) => join(tail, `${String(start).padStart(15, '0')}.log`);

  return {
    async list() {
      const segments: Segment[] = [];
      const headBytes = await sizeOf(head);
      if (headBytes !== null) segments.push({ path: head, start: 0, sizeBytes: headBytes });
      for (const name of (await namesIn(tail)).sort()) {
        const start = /^(\d{15})\.log$/.exec(name)?.[1];
        const sizeBytes = start === undefined ? null : await sizeOf(join(tail, name));
        if (sizeBytes !== null) segments.push({ path: join(tail, name), start: Number(start), sizeBytes });
      }
      return segments;
    },

    capacityOf: (segment) => (segment.path === head ? input.headBytes : input.tailBytes),

    async beginSegment(segments) {
      const last = segments.at(-1);
      if (last === undefined) {
        await mkdir(dirname(head), { recursive: true });
        return [{ path: head, start: 0, sizeBytes: 0 }];
      }
      await mkdir(tail, { recursive: true });
      const tails = segments.filter((segment) => segment.path !== head);
      const dropped = tails.slice(0, Math.max(0, tails.length - TAIL_SEGMENTS + 1));
      for (const { path } of dropped) await rm(path, { force: true });
      const begun = { path: segmentAt(endOf(last)), start: endOf(last), sizeBytes: 0 };
      return [...segments.filter((segment) => !dropped.includes(segment)), begun];
    },

    async remove() {
      await rm(tail, { recursive: true, force: true });
      await rm(head, { force: true });
    },
  };
}

export async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

export async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
