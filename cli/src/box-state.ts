import { readFileSync } from 'node:fs';
import { readdir, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';

/** What a ready box wrote into `box.json` of its workspace. It may be left over from a killed one. */
export type BoxState = ProcessState | StackState;

interface Found {
  readonly url: string;
  readonly version: string;
}

export interface ProcessState extends Found {
  readonly mode: 'process';
  readonly pid: number;
}

export interface StackState extends Found {
  readonly mode: 'docker';
  readonly pid: null;
  /** The box's name on the engine. */
  readonly name: string;
}

/** Where a box runs, for people. */
export function placeOf(state: BoxState): string {
  return state.mode === 'docker' ? `containers ${state.name}` : `process ${state.pid}`;
}

/** Null where there is none, or where the file is not one that a box wrote. */
export async function readBoxState(workspaceDir: string): Promise<BoxState | null> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(join(workspaceDir, 'box.json'), 'utf8'));
  } catch {
    return null;
  }
  const { pid, url, version, mode, name } = (value ?? {}) as Record<string, unknown>;
  const found = typeof version === 'string' ? version : 'unknown';
  if (mode === 'docker' && typeof url === 'string' && URL.canParse(url) && typeof name === 'string') {
    return { mode: 'docker', pid: null, name, url, version: found };
  }
  if (mode === 'docker') return null;
  if (typeof pid !== 'number' || !Number.isInteger(pid) || pid <= 1) return null;
  if (typeof url !== 'string' || !URL.canParse(url)) return null;
  return { mode: 'process', pid, url, version: found };
}

/** A process that ended but that nobody has asked after yet (a zombie) is not alive. */
export function processIsAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // It is there, but belongs to someone else.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  try {
    // The state follows the name in brackets, which may hold anything, brackets too.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    // No /proc here: the signal's word stands.
    return true;
  }
}

/** Whether a box answers at this address; bounded, never throws. */
export async function boxAnswers(url: string, timeoutMs = 2000): Promise<boolean> {
  try {
    const response = await fetch(new URL('/healthz', url), { signal: AbortSignal.timeout(timeoutMs) });
    const body = (await response.json()) as { ok?: unknown };
    return response.ok && body.ok === true;
  } catch {
    return false;
  }
}

/**
 * Whether this process is a box, so that a number that was given to another program since is never
 * signalled. Where there is no /proc, an answering box of that number is taken for it.
 */
export async function isBoxProcess(state: ProcessState): Promise<boolean> {
  if (!processIsAlive(state.pid)) return false;
  try {
    const words = (await readFile(`/proc/${state.pid}/cmdline`, 'utf8')).split('\0');
    return words.some((word) => word.endsWith('box/src/main.ts'));
  } catch {
    return boxAnswers(state.url);
  }
}

/**
 * The living boxes of a workspace by their command line, also one that is still starting or already
 * stopping, which `box.json` does not name. Empty where there is no /proc.
 */
export async function findBoxProcesses(workspaceDir: string): Promise<number[]> {
  const wanted = new Set([workspaceDir, await realpath(workspaceDir).catch(() => workspaceDir)]);
  const entries = await readdir('/proc').catch(() => []);
  const pids = await Promise.all(
    entries
      .filter((name) => /^\d+$/.test(name))
      .map(async (name) => {
        const words = (await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')).split('\0');
        if (!words.some((word) => word.endsWith('box/src/main.ts'))) return null;
        const place = words.indexOf('--workspace');
        const workspace = place < 0 ? undefined : words[place + 1];
        return workspace !== undefined && wanted.has(workspace) ? Number(name) : null;
      }),
  );
  return pids.filter((pid) => pid !== null && processIsAlive(pid)) as number[];
}
