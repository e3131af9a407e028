import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { namesIn, sizeOf } from './head-and-tail-log.ts';
import { endOf, type Segment, type SegmentedLog } from './segment.ts';

/** `<id>.log` is written to; full, it becomes `<id>.<start>.log`, and only the newest `files` of all are kept. */
export function rotatingLog(input: {
  readonly directory: string;
  readonly id: string;
  readonly fileBytes: number;
  readonly files: number;
}): SegmentedLog {
  const { directory, id } = input;
  const current = join(directory, `${id}.log`);

  async function listRotated(): Promise<Segment[]> {
    const segments: Segment[] = [];
    for (const name of await namesIn(directory)) {
      if (!name.startsWith(`${id}.`)) continue;
      const start = /^(\d+)\.log$/.exec(name.slice(id.length + 1))?.[1];
      const sizeBytes = start === undefined ? null : await sizeOf(join(directory, name));
      if (sizeBytes !== null) segments.push({ path: join(directory, name), start: Number(start), sizeBytes });
    }
    return segments.sort((a, b) => a.start - b.start);
  }

  return {
    async list() {
      const rotated = await listRotated();
      const newest = rotated.at(-1);
      const sizeBytes = await sizeOf(current);
      if (sizeBytes === null) return rotated;
      return [...rotated, { path: current, start: newest ? endOf(newest) : 0, sizeBytes }];
    },

    capacityOf: () => input.fileBytes,

    async beginSegment(segments) {
      const last = segments.at(-1);
      await mkdir(directory, { recursive: true });
      if (last?.path === current) await rename(current, join(directory, `${id}.${last.start}.log`));
      const rotated = await listRotated();
      for (const { path } of rotated.slice(0, -(input.files - 1))) await rm(path, { force: true });
      const begun = { path: current, start: last ? endOf(last) : 0, sizeBytes: 0 };
      return [...rotated.slice(-(input.files - 1)), begun];
    },

    async remove() {
      for (const { path } of await listRotated()) await rm(path, { force: true });
      await rm(current, { force: true });
    },
  };
}
