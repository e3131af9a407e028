import { readdirSync, readFileSync } from 'node:fs';
import type { CommandLimits } from './sandbox.ts';

export interface Usage {
  readonly processes: number;
  readonly threads: number;
  /** Private and shared-anonymous memory of all, where what several share counts once for each. */
  readonly memoryBytes: number;
}

/** Processes and their threads together. A Node process has a dozen threads; most commands run few processes. */
export function mostTasks(processes: number): number {
  return processes * 4 + 256;
}

export type Excess = 'out_of_memory' | 'too_many_processes';

/** Which limit is broken; `confirmMemory` measures exactly, at a price, and is asked only where the sum is over. */
export function findExcess(
  usage: Usage,
  limits: Pick<CommandLimits, 'memoryMb' | 'processes'>,
  confirmMemory: () => number | null,
): Excess | null {
  if (usage.processes > limits.processes) return 'too_many_processes';
  if (usage.threads > mostTasks(limits.processes)) return 'too_many_processes';
  const limitBytes = limits.memoryMb * 1024 * 1024;
  if (usage.memoryBytes <= limitBytes) return null;
  return (confirmMemory() ?? usage.memoryBytes) > limitBytes ? 'out_of_memory' : null;
}

/** The processes a mounted `/proc` shows, by their ids in it. Throws where it is gone. */
export function listProcesses(proc: string): number[] {
  const pids: number[] = [];
  for (const name of readdirSync(proc)) {
    const pid = Number(name);
    if (Number.isInteger(pid)) pids.push(pid);
  }
  return pids;
}

/** Sums up what these processes use; those that have ended meanwhile count nothing. */
export function readUsage(
  proc: string,
  pids: readonly number[],
  limits: { readonly processes: number },
): Usage {
  // Past the limit of processes nothing else matters, and reading thousands of files would only give a bomb time.
  if (pids.length > limits.processes) return { processes: pids.length, threads: 0, memoryBytes: 0 };
  let threads = 0;
  let memoryBytes = 0;
  for (const pid of pids) {
    const status = readOrEmpty(`${proc}/${pid}/status`);
    threads += readField(status, 'Threads');
    memoryBytes +=
      (readField(status, 'RssAnon') + readField(status, 'RssShmem') + readField(status, 'VmSwap')) * 1024;
  }
  return { processes: pids.length, threads, memoryBytes };
}

/** Memory with each shared page counted once over all; null where this kernel does not tell. */
export function readExactMemoryBytes(proc: string, pids: readonly number[]): number | null {
  let bytes = 0;
  let read = 0;
  for (const pid of pids) {
    const rollup = readOrEmpty(`${proc}/${pid}/smaps_rollup`);
    if (!rollup.includes('Pss_Anon:')) continue;
    read += 1;
    bytes +=
      (readField(rollup, 'Pss_Anon') + readField(rollup, 'Pss_Shmem') + readField(rollup, 'SwapPss')) * 1024;
  }
  return read === 0 ? null : bytes;
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

function readField(text: string, name: string): number {
  const found = new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(text);
  return found === null ? 0 : Number(found[1]);
}
