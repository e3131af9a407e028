import { readFile } from 'node:fs/promises';
import type { ProcessRecord } from './release-files.ts';

/**
 * Boot and start time of a process in the kernel's ticks, which no later process with the same id
 * shares; null where it is gone or the system has no /proc.
 */
export async function readStartedTick(pid: number): Promise<string | null> {
  try {
    const [bootId, line] = await Promise.all([
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
      readFile(`/proc/${pid}/stat`, 'utf8'),
    ]);
    // The second field is the program's name in brackets and may hold anything; the 22nd is the start.
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
    return `${bootId.trim()}/${fields[19]}`;
  } catch {
    return null;
  }
}

/** Ends the group of a recorded process, if it is still the one that was recorded. */
export async function endRecorded(record: ProcessRecord): Promise<void> {
  if (record.pid === null || record.startedTick === null) return;
  if ((await readStartedTick(record.pid)) !== record.startedTick) return;
  try {
    process.kill(-record.pid, 'SIGKILL');
  } catch {
    // It ended in between.
  }
}
