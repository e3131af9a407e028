import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Box } from '../box.ts';
import type { SeededRandom } from './seeded-random.ts';

export interface KillCounts {
  killed: number;
  killedWhileStarting: number;
  frozen: number;
  stoppedInOrder: number;
  /** Until `up` said that the box is up again, with its sites. */
  recoveriesMs: number[];
}

/** Ends or freezes the box at random moments until the deadline, and brings it up again each time. */
export async function killAtRandom(o: {
  readonly box: Box;
  readonly random: SeededRandom;
  readonly deadlineMs: number;
  readonly leaseMs: number;
  readonly onAct: (what: string) => void;
}): Promise<KillCounts> {
  const { box, random, onAct } = o;
  const counts: KillCounts = {
    killed: 0,
    killedWhileStarting: 0,
    frozen: 0,
    stoppedInOrder: 0,
    recoveriesMs: [],
  };
  for (;;) {
    // Mostly in the middle of a story, sometimes long enough apart that several settle.
    await sleep(random.chance(0.7) ? random.between(300, 6_000) : random.between(6_000, 15_000));
    if (Date.now() > o.deadlineMs) return counts;
    const act = random.pick([
      [50, 'kill'],
      [20, 'kill while starting'],
      [15, 'freeze'],
      [15, 'stop'],
    ] as const);
    onAct(act);
    if (act === 'freeze') {
      await freeze(box, random.between(0.5, 2) * o.leaseMs);
      counts.frozen += 1;
      continue;
    }
    if (act === 'stop') {
      await box.ok(['down']);
      counts.stoppedInOrder += 1;
    } else {
      await box.kill();
      counts.killed += 1;
    }
    if (act === 'kill while starting') {
      const starting = box.dbox(['up']);
      await sleep(random.between(100, 1_800));
      for (const pid of await findBoxProcesses(box.workspace)) killQuietly(pid);
      counts.killedWhileStarting += 1;
      await starting;
    }
    const startedMs = Date.now();
    await box.ok(['up']);
    counts.recoveriesMs.push(Date.now() - startedMs);
  }
}

/** As a laptop's lid does: to everyone inside, the clock jumps. Children run on. */
export async function freeze(box: Box, forMs: number): Promise<void> {
  const pid = await box.pid();
  if (pid === null) throw new Error('no box runs that could be frozen');
  process.kill(pid, 'SIGSTOP');
  try {
    await sleep(forMs);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

/** Boxes of this workspace, also one that is still starting. */
export async function findBoxProcesses(workspace: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const args = (await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')).split('\0');
    if (args.some((arg) => arg.endsWith('box/src/main.ts')) && args.includes(workspace))
      found.push(Number(name));
  }
  return found;
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
