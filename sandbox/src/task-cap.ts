import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { mostTasks } from './usage.ts';

/**
 * A bound the kernel itself holds on how many tasks (processes and their threads) a command may have,
 * for what is faster than the watch: a fork bomb fills a host in half a second.
 */
export interface TaskCap {
  /** `cgroup`: where the box may make control groups. `rlimit`: an ordinary user on a kernel that counts processes per user namespace. `none`: only the watch bounds. */
  readonly kind: 'cgroup' | 'rlimit' | 'none';
  open(processes: number): OpenTaskCap;
}

export interface OpenTaskCap {
  /** A file to write the first process's id to; null where there is none. */
  readonly joinFile: string | null;
  /** What to set as RLIMIT_NPROC inside; null: nothing. */
  readonly processLimit: number | null;
  close(): Promise<void>;
}

/** Twice what the watch allows, so that the watch sees a bomb and names it before it runs against this. */
function tasksFor(processes: number): number {
  return mostTasks(processes) * 2;
}

/** Since then RLIMIT_NPROC counts what runs in one user namespace, not all that the user runs. */
const COUNTS_PER_NAMESPACE_SINCE = [5, 14] as const;
const GROUP_PREFIX = 'dbox-';
const MAX_REMOVE_TRIES = 25;
const REMOVE_AGAIN_MS = 20;
const NONE: OpenTaskCap = { joinFile: null, processLimit: null, close: async () => {} };

export function findTaskCap(): TaskCap {
  for (const parent of listGroupParents()) {
    if (!canMakeGroups(parent)) continue;
    removeAbandonedGroups(parent);
    return { kind: 'cgroup', open: (processes) => openGroup(parent, processes) };
  }
  if (process.getuid?.() !== 0 && isKernelSince(COUNTS_PER_NAMESPACE_SINCE)) {
    return { kind: 'rlimit', open: (processes) => ({ ...NONE, processLimit: tasksFor(processes) }) };
  }
  return { kind: 'none', open: () => NONE };
}

/** Own group of the `pids` controller in version 1, the root and own group in version 2. */
function listGroupParents(): string[] {
  const parents: string[] = [];
  for (const line of readOrEmpty('/proc/self/cgroup').split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (path === undefined || path.includes('..')) continue;
    if (controllers === 'pids') parents.push(join('/sys/fs/cgroup/pids', path));
    if (controllers === '') parents.push('/sys/fs/cgroup', join('/sys/fs/cgroup', path));
  }
  return parents;
}

function canMakeGroups(parent: string): boolean {
  const group = join(parent, `${GROUP_PREFIX}${process.pid}-${randomUUID()}`);
  try {
    mkdirSync(group);
  } catch {
    return false;
  }
  try {
    writeFileSync(join(group, 'pids.max'), 'max', { flag: 'r+' });
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(group);
  }
}

function openGroup(parent: string, processes: number): OpenTaskCap {
  const group = join(parent, `${GROUP_PREFIX}${process.pid}-${randomUUID()}`);
  try {
    mkdirSync(group);
    writeFileSync(join(group, 'pids.max'), String(tasksFor(processes)), { flag: 'r+' });
  } catch {
    // Something else took the right away meanwhile: the watch still bounds.
    return NONE;
  }
  return {
    joinFile: join(group, 'cgroup.procs'),
    processLimit: null,
    async close() {
      // The last process leaves the group a moment after it has ended.
      for (let tries = 0; tries < MAX_REMOVE_TRIES && !hasRemoved(group); tries += 1) {
        await sleep(REMOVE_AGAIN_MS);
      }
    },
  };
}

function removeAbandonedGroups(parent: string): void {
  for (const name of readdirSync(parent)) {
    const owner = new RegExp(`^${GROUP_PREFIX}(\\d+)-`).exec(name)?.[1];
    if (owner !== undefined && !existsSync(`/proc/${owner}`)) hasRemoved(join(parent, name));
  }
}

function hasRemoved(group: string): boolean {
  try {
    rmdirSync(group);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

function isKernelSince([major, minor]: readonly [number, number]): boolean {
  const [hasMajor = 0, hasMinor = 0] = release().split('.').map(Number);
  return hasMajor > major || (hasMajor === major && hasMinor >= minor);
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
