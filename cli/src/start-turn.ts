import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { processIsAlive } from './box-state.ts';
import type { Clock } from './clock.ts';

const LOOK_INTERVAL_MS = 50;

/**
 * Lets one caller at a time start the box of a workspace, so that a second one waits instead of
 * starting a box that loses. A courtesy, not a lock: what a killed caller leaves behind is ignored,
 * and which box gets the workspace is decided by the box itself.
 */
export async function takeStartTurn(options: {
  readonly workspaceDir: string;
  readonly clock: Clock;
  readonly limitMs: number;
  /** True once waiting has no purpose any more. */
  readonly isDone: () => Promise<boolean>;
}): Promise<{ release(): Promise<void> }> {
  const file = join(options.workspaceDir, 'box.starting');
  const startedAt = options.clock.now();
  while (true) {
    try {
      await writeFile(file, String(process.pid), { flag: 'wx' });
      return { release: () => rm(file, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (await options.isDone()) return { release: async () => {} };
    const holder = await readHolder(file);
    if (holder !== null && !processIsAlive(holder)) await rm(file, { force: true });
    if (options.clock.now() - startedAt > options.limitMs) return { release: async () => {} };
    await options.clock.sleep(LOOK_INTERVAL_MS);
  }
}

/** Null where the file is gone or its number is not written yet. */
async function readHolder(file: string): Promise<number | null> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return /^\d+$/.test(text) ? Number(text) : null;
}
