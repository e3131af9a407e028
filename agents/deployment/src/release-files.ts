import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Commit, MADE_ID_PATTERN } from '@dbox/contracts';
import { z } from 'zod';

/** Written before a process is started, so that a later life of the agent knows what may run. */
const ProcessRecord = z.object({
  marker: z.string(),
  /** Null until the process is there. */
  pid: z.int().nullable(),
  /** Tells the process from a later one with the same id: the kernel's boot and start tick. */
  startedTick: z.string().nullable(),
});
export type ProcessRecord = z.infer<typeof ProcessRecord>;

const BuiltRecord = z.object({ commit: Commit });
const GenerationRecord = z.object({ generation: z.int().min(0) });
const LogPosition = z.object({ at: z.iso.datetime({ precision: 9 }) });

/** What the agent keeps of each release: `<stateDir>/releases/<id>/{tree, built.json, process.json}`. */
export interface ReleaseFiles {
  treeOf(releaseId: string): string;
  /** Whether the tree is there, whole and built, of exactly this commit. */
  isBuilt(releaseId: string, commit: string): Promise<boolean>;
  /** Moves a laid-out tree in; what was there before goes. Not yet built. */
  adopt(releaseId: string, laidOutTree: string): Promise<void>;
  markBuilt(releaseId: string, commit: string): Promise<void>;
  /** Returns once it is on the disk. */
  writeProcess(releaseId: string, record: ProcessRecord): Promise<void>;
  forgetProcess(releaseId: string): Promise<void>;
  readProcess(releaseId: string): Promise<ProcessRecord | null>;
  /** A tree that was only there to be built. */
  removeTree(releaseId: string): Promise<void>;
  /** The restart generation that runs. */
  writeGeneration(releaseId: string, generation: number): Promise<void>;
  readGeneration(releaseId: string): Promise<number | null>;
  /** How far the log of what runs was read. Not forced to the disk: an older one only repeats lines. */
  writeLogPosition(releaseId: string, at: string): Promise<void>;
  readLogPosition(releaseId: string): Promise<string | null>;
  list(): Promise<readonly string[]>;
  remove(releaseId: string): Promise<void>;
}

export function createReleaseFiles(stateDir: string): ReleaseFiles {
  const root = join(stateDir, 'releases');
  const pathOf = (releaseId: string, ...rest: string[]) => {
    if (!MADE_ID_PATTERN.test(releaseId)) throw new Error(`${JSON.stringify(releaseId)} is no release id`);
    return join(root, releaseId, ...rest);
  };

  return {
    treeOf: (releaseId) => pathOf(releaseId, 'tree'),
    async isBuilt(releaseId, commit) {
      const built = await readJson(pathOf(releaseId, 'built.json'), BuiltRecord);
      if (built?.commit !== commit) return false;
      return (await stat(pathOf(releaseId, 'tree')).catch(() => null))?.isDirectory() ?? false;
    },
    async adopt(releaseId, laidOutTree) {
      await mkdir(pathOf(releaseId), { recursive: true });
      await rm(pathOf(releaseId, 'built.json'), { force: true });
      await rm(pathOf(releaseId, 'tree'), { recursive: true, force: true });
      await rename(laidOutTree, pathOf(releaseId, 'tree'));
    },
    async markBuilt(releaseId, commit) {
      await writeWhole(pathOf(releaseId, 'built.json'), { commit });
    },
    async writeProcess(releaseId, record) {
      await mkdir(pathOf(releaseId), { recursive: true });
      await writeWhole(pathOf(releaseId, 'process.json'), record);
    },
    forgetProcess: (releaseId) => rm(pathOf(releaseId, 'process.json'), { force: true }),
    readProcess: (releaseId) => readJson(pathOf(releaseId, 'process.json'), ProcessRecord),
    async removeTree(releaseId) {
      await rm(pathOf(releaseId, 'built.json'), { force: true });
      await rm(pathOf(releaseId, 'tree'), { recursive: true, force: true });
    },
    async writeGeneration(releaseId, generation) {
      await mkdir(pathOf(releaseId), { recursive: true });
      await writeWhole(pathOf(releaseId, 'generation.json'), { generation });
    },
    async readGeneration(releaseId) {
      return (await readJson(pathOf(releaseId, 'generation.json'), GenerationRecord))?.generation ?? null;
    },
    async writeLogPosition(releaseId, at) {
      const file = pathOf(releaseId, 'log-position.json');
      await writeFile(`${file}.new`, JSON.stringify({ at }), { mode: 0o600 });
      await rename(`${file}.new`, file);
    },
    async readLogPosition(releaseId) {
      return (await readJson(pathOf(releaseId, 'log-position.json'), LogPosition))?.at ?? null;
    },
    async list() {
      const names = await readdir(root).catch(() => []);
      return names.filter((name) => MADE_ID_PATTERN.test(name));
    },
    remove: (releaseId) => rm(pathOf(releaseId), { recursive: true, force: true }),
  };
}

/** Whole or not at all, and on the disk when it returns: these records are what a crash is judged by. */
async function writeWhole(file: string, value: object): Promise<void> {
  const fresh = `${file}.new`;
  await writeFile(fresh, `${JSON.stringify(value)}\n`, { flush: true, mode: 0o600 });
  await rename(fresh, file);
  const directory = await open(join(file, '..'), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function readJson<T>(file: string, schema: z.ZodType<T>): Promise<T | null> {
  try {
    return schema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return null;
  }
}
