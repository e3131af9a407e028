import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Set for everything a sandbox starts, so that it can be found without having been its parent. */
export const MARKER_VARIABLE = 'DBOX_MARKER';

/** A killed process is gone within a moment; one stuck in the kernel must not hold up a start. */
const MAX_WAIT_MS = 3_000;
const LOOK_AGAIN_MS = 20;

/**
 * Ends every process whose `DBOX_MARKER` begins so: for what a killed box left behind. Returns how
 * many, once they are gone. Never ends the caller or one it descends from. Finds nothing on systems
 * without /proc, and nothing that wiped its own environment.
 */
export function endMarked(markerPrefix: string): Promise<number> {
  return endFound(() => findMarked(markerPrefix));
}

/** Kills what is found, again and again until nothing is. */
export async function endFound(find: () => number[]): Promise<number> {
  const ended = new Set<number>();
  for (let waitedMs = 0; ; waitedMs += LOOK_AGAIN_MS) {
    // Looked for again each round: a process may fork between the look and the kill.
    const pids = find();
    if (pids.length === 0 || waitedMs >= MAX_WAIT_MS) return ended.size;
    for (const pid of pids) {
      endProcess(pid);
      ended.add(pid);
    }
    await sleep(LOOK_AGAIN_MS);
  }
}

/** Host process ids, without zombies (their environment is gone). */
export function findMarked(marker: string, match: 'prefix' | 'exact' = 'prefix'): number[] {
  if (marker === '') throw new TypeError('an empty marker would match every box on the machine');
  const spared = listAncestors();
  const wanted = `${MARKER_VARIABLE}=${marker}`;
  const isWanted = (entry: string) => (match === 'exact' ? entry === wanted : entry.startsWith(wanted));
  const pids: number[] = [];
  for (const name of listProc()) {
    const pid = Number(name);
    if (spared.has(pid)) continue;
    if (readOrEmpty(`/proc/${name}/environ`).split('\0').some(isWanted)) pids.push(pid);
  }
  return pids;
}

/** Host process ids of a session, whose leader a child started in a group of its own is. */
export function findInSession(sessionId: number): number[] {
  return listProc()
    .filter((name) => {
      // `pid (name) state ppid pgrp session …`, where the name may hold anything.
      const stat = readOrEmpty(`/proc/${name}/stat`);
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]) === sessionId;
    })
    .map(Number);
}

function listAncestors(): Set<number> {
  const ancestors = new Set<number>([process.pid]);
  let pid = process.pid;
  while (pid > 1) {
    const parent = /^PPid:\s*(\d+)/m.exec(readOrEmpty(`/proc/${pid}/status`));
    pid = parent === null ? 0 : Number(parent[1]);
    ancestors.add(pid);
  }
  return ancestors;
}

export function endProcess(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}

function listProc(): string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
