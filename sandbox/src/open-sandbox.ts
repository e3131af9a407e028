import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { openBubblewrap } from './bubblewrap.ts';
import { rememberDeviceModes } from './device-modes.ts';
import { readHostLayout } from './host-layout.ts';
import type { Sandbox } from './sandbox.ts';
import { findTaskCap } from './task-cap.ts';
import { findProgram, type Toolchain } from './toolchain.ts';
import { openUnsandboxed } from './unsandboxed.ts';

export interface OpenSandboxOptions {
  readonly toolchain: Toolchain;
  /** Do not look for bubblewrap: run without a sandbox, as `--no-sandbox` asks. */
  readonly allowNone?: boolean;
  /** What `run` marks its processes with (a suffix is added), so that the next box can end what a killed one left. */
  readonly runMarker?: string;
}

const INSTALL_HINT =
  'install the package "bubblewrap" (apt install bubblewrap, dnf install bubblewrap, apk add bubblewrap)';
const PROBE_TIMEOUT_MS = 10_000;

/**
 * Really runs the pinned Node in bubblewrap: installed is not enough, a container may forbid its
 * namespaces. Where that fails, the sandbox is of kind `none` and says why.
 */
export async function openSandbox(options: OpenSandboxOptions): Promise<Sandbox> {
  const { toolchain } = options;
  const runMarker = options.runMarker ?? `run-${randomUUID()}`;
  const taskCap = findTaskCap();
  const none = (missing: string) => openUnsandboxed({ toolchain, missing, runMarker, taskCap });
  if (options.allowNone === true) return none('switched off by --no-sandbox');
  if (process.platform !== 'linux') {
    return none('bubblewrap, the sandbox the box uses, exists on Linux only');
  }
  const program = await findProgram('bwrap');
  if (program === null) return none(`bubblewrap was not found; ${INSTALL_HINT}`);
  const layout = await readHostLayout();
  const deviceModes = rememberDeviceModes();
  let reason = '';
  for (const features of [
    { disableUserns: true, tmpfsSize: true },
    { disableUserns: false, tmpfsSize: true },
    { disableUserns: false, tmpfsSize: false },
  ]) {
    const sandbox = openBubblewrap({ program, toolchain, layout, features, deviceModes, taskCap }, runMarker);
    const outcome = await probe(sandbox);
    if (outcome.exitCode === 0) return sandbox;
    reason = outcome.detail;
  }
  return none(`bubblewrap is installed but cannot work here (${reason}); ${await remedy()}`);
}

/** What a person can do about it. Engines leave one of these files in each container they start. */
async function remedy(): Promise<string> {
  for (const mark of ['/.dockerenv', '/run/.containerenv']) {
    if ((await stat(mark).catch(() => null)) === null) continue;
    return 'a container allows it only with all of these: --security-opt seccomp=deploy/seccomp/nested-sandbox.json, systempaths=unconfined and apparmor=unconfined (see deploy/seccomp/README.md)';
  }
  return 'it needs unprivileged user namespaces, which the sysctl kernel.apparmor_restrict_unprivileged_userns or user.max_user_namespaces may forbid';
}

function probe(sandbox: Sandbox) {
  return sandbox.run({
    run: 'node -e 0',
    tree: tmpdir(),
    env: {},
    network: 'none',
    limits: {
      timeoutMs: PROBE_TIMEOUT_MS,
      memoryMb: 512,
      processes: 64,
      headBytes: 4_096,
      tailBytes: 0,
      fileSizeMb: 1,
    },
  });
}
