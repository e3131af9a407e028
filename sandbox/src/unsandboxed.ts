import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SYSTEM_PATH } from './bubblewrap-arguments.ts';
import type { Cage } from './cage.ts';
import { endFound, endProcess, findInSession, findMarked, MARKER_VARIABLE } from './marked-processes.ts';
import type { Sandbox, SandboxCommand } from './sandbox.ts';
import { superviseCommand } from './supervision.ts';
import type { TaskCap } from './task-cap.ts';
import type { Toolchain } from './toolchain.ts';
import { readExactMemoryBytes, readUsage } from './usage.ts';

const START_SCRIPT = `[ -z "$3" ] || echo $$ 2>/dev/null >"$3"
ulimit -c 0; ulimit -f "$1" 2>/dev/null
echo started >&4
exec /bin/sh -c "$2" 3>&- 4>&- 5>&-`;

/**
 * A plain child process: a clean environment, a home of its own, its own group, the same limits and
 * time-outs; but it can read and write what the box can, and the network is open. What it starts is
 * found by the marker in its environment, so a child that leaves the group does not get away, and one
 * that also wipes its environment does.
 */
export function openUnsandboxed(options: {
  readonly toolchain: Toolchain;
  readonly missing: string;
  readonly runMarker: string;
  readonly taskCap: TaskCap;
}): Sandbox {
  async function start(command: SandboxCommand & { readonly marker: string }) {
    return superviseCommand(await makeCage(options, command), command, command.marker);
  }
  return {
    kind: 'none',
    missing: options.missing,
    toolchain: options.toolchain,
    start,
    async run(command) {
      return (await start({ ...command, marker: `${options.runMarker}.${randomUUID()}` })).exited;
    },
    pathOf: (mount) => mount.host,
  };
}

async function makeCage(
  host: { readonly toolchain: Toolchain; readonly taskCap: TaskCap },
  command: SandboxCommand & { readonly marker: string },
): Promise<Cage> {
  const { toolchain } = host;
  const cap = host.taskCap.open(command.limits.processes);
  const home = await mkdtemp(join(tmpdir(), 'dbox-home-'));
  const bin = join(home, 'bin');
  await mkdir(bin);
  await mkdir(join(home, 'tmp'));
  await symlink(toolchain.nodeBin, join(bin, 'node'));
  if (toolchain.npmDir !== null) {
    await symlink(join(toolchain.npmDir, 'bin', 'npm-cli.js'), join(bin, 'npm'));
    await symlink(join(toolchain.npmDir, 'bin', 'npx-cli.js'), join(bin, 'npx'));
  }
  const listMarked = () => findMarked(command.marker, 'exact');
  // Which session a process is of costs a tenth of reading its environment, and holds for all that did not leave it.
  const listSession = (child: ChildProcess) => (child.pid === undefined ? [] : findInSession(child.pid));
  return {
    file: '/bin/sh',
    args: [
      '-c',
      START_SCRIPT,
      'sh',
      String(command.limits.fileSizeMb * 2048),
      command.run,
      cap.joinFile ?? '',
    ],
    env: {
      PATH: `${bin}:${SYSTEM_PATH}`,
      HOME: home,
      TMPDIR: join(home, 'tmp'),
      LANG: 'C.UTF-8',
      ...command.env,
      [MARKER_VARIABLE]: command.marker,
    },
    cwd: command.tree,
    input: '',
    // Each look goes through all processes of the host: some 2 ms.
    watch: { eagerlyMs: 50, calmlyMs: 1_000 },
    hear: () => {},
    readUsage: (child) => readUsage('/proc', listSession(child), command.limits),
    readExactMemoryBytes: (child) => readExactMemoryBytes('/proc', listSession(child)),
    signalAll(signal, child) {
      if (child.pid !== undefined) endProcess(-child.pid, signal);
      for (const pid of listMarked()) endProcess(pid, signal);
    },
    sweep: () => endFound(listMarked),
    async cleanUp() {
      await rm(home, { recursive: true, force: true });
      await cap.close();
    },
  };
}
