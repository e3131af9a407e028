import { randomUUID } from 'node:crypto';
import { readdirSync, readlinkSync } from 'node:fs';
import { type BubblewrapFeatures, buildBubblewrapArguments } from './bubblewrap-arguments.ts';
import type { Cage } from './cage.ts';
import type { DeviceModes } from './device-modes.ts';
import type { HostLayout } from './host-layout.ts';
import { endProcess } from './marked-processes.ts';
import type { Sandbox, SandboxCommand } from './sandbox.ts';
import { superviseCommand } from './supervision.ts';
import type { TaskCap } from './task-cap.ts';
import type { Toolchain } from './toolchain.ts';
import { listProcesses, readExactMemoryBytes, readUsage } from './usage.ts';

export interface BubblewrapHost {
  /** Absolute path of `bwrap`. */
  readonly program: string;
  readonly toolchain: Toolchain;
  readonly layout: HostLayout;
  readonly features: BubblewrapFeatures;
  readonly deviceModes: DeviceModes;
  readonly taskCap: TaskCap;
}

/**
 * Outside, before bubblewrap: into its control group, no core files, a cap on the size of one file, and the first place in the
 * kernel's own list of whom to end when the host runs out of memory.
 */
const LIMITS_SCRIPT = `[ -z "$2" ] || echo $$ 2>/dev/null >"$2"
ulimit -c 0; ulimit -f "$1" 2>/dev/null
echo 800 2>/dev/null >/proc/self/oom_score_adj
shift 2; exec "$@"`;

/**
 * Inside, around the command: says that it began, waits for it, and counts what is left (besides
 * bubblewrap's reaper and this shell) once it had half a second to go. The trap keeps the shell alive
 * when a stop sends SIGTERM to all; the command gets the signal as usual. The limit of processes is
 * `-u` in bash and `-p` in dash.
 */
const SUPERVISOR_SCRIPT = `trap : TERM
[ -z "$2" ] || ulimit -u "$2" 2>/dev/null || ulimit -p "$2" 2>/dev/null
echo started >&4
/bin/sh -c "$1" 4>&-
code=$?
round=0
while set -- /proc/[0-9]*; [ $# -gt 2 ] && [ $round -lt 10 ]; do sleep 0.05; round=$((round+1)); done
echo "left $(($#-2))" >&4
exit $code`;

export function openBubblewrap(host: BubblewrapHost, runMarker: string): Sandbox {
  async function start(command: SandboxCommand & { readonly marker: string }) {
    return superviseCommand(makeCage(host, command), command, command.marker);
  }
  return {
    kind: 'bubblewrap',
    missing: null,
    toolchain: host.toolchain,
    start,
    async run(command) {
      return (await start({ ...command, marker: `${runMarker}.${randomUUID()}` })).exited;
    },
    pathOf: (mount) => mount.inside,
  };
}

function makeCage(host: BubblewrapHost, command: SandboxCommand & { readonly marker: string }): Cage {
  const cap = host.taskCap.open(command.limits.processes);
  // The first process inside; everything there ends when it does.
  let initPid: number | null = null;
  const proc = () => `/proc/${initPid}/root/proc`;
  const list = () => {
    try {
      return initPid === null ? null : listProcesses(proc());
    } catch {
      return null;
    }
  };
  return {
    file: '/bin/sh',
    args: [
      ...['-c', LIMITS_SCRIPT, 'sh', String(command.limits.fileSizeMb * 2048), cap.joinFile ?? ''],
      ...[host.program, '--info-fd', '3', '--args', '5', '--'],
      ...['/bin/sh', '-c', SUPERVISOR_SCRIPT, 'sh', command.run, String(cap.processLimit ?? '')],
    ],
    env: { DBOX_MARKER: command.marker, PATH: '/usr/bin:/bin' },
    cwd: '/',
    input: buildBubblewrapArguments({ ...host, command, marker: command.marker })
      .map((argument) => `${argument}\0`)
      .join(''),
    // Looking costs a few reads a process: what runs for ever is looked at so seldom that it is free.
    watch: { eagerlyMs: 50, calmlyMs: command.limits.timeoutMs === null ? 2_000 : 250 },
    hear(info) {
      const found = /"child-pid": (\d+)/.exec(info);
      if (found !== null) initPid = Number(found[1]);
    },
    readUsage() {
      host.deviceModes.restore();
      const pids = list();
      return pids === null ? null : readUsage(proc(), pids, command.limits);
    },
    readExactMemoryBytes() {
      const pids = list();
      return pids === null ? null : readExactMemoryBytes(proc(), pids);
    },
    signalAll(signal, child) {
      if (signal === 'SIGTERM') {
        if (initPid !== null) for (const pid of listMembers(initPid)) endProcess(pid, 'SIGTERM');
        return;
      }
      // Its reaper first: bubblewrap outside ends when that is gone, so its end says all are gone.
      if (initPid !== null) endProcess(initPid);
      else if (child.pid !== undefined) endProcess(child.pid);
    },
    sweep: async () => 0,
    async cleanUp() {
      host.deviceModes.restore();
      await cap.close();
    },
  };
}

/** Host ids of all processes in the same process namespace, without its first. */
function listMembers(initPid: number): number[] {
  const namespaceOf = (pid: string | number) => {
    try {
      return readlinkSync(`/proc/${pid}/ns/pid`);
    } catch {
      return null;
    }
  };
  const namespace = namespaceOf(initPid);
  if (namespace === null) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && namespaceOf(name) === namespace)
    .map(Number)
    .filter((pid) => pid !== initPid);
}
