import type { ProcessState } from './box-state.ts';
import { findBoxProcesses, isBoxProcess, processIsAlive, readBoxState } from './box-state.ts';
import type { Clock } from './clock.ts';

/** A box lets running jobs and releases end in order; after this it is not going to. */
const GRACE_MS = 20_000;
const LOOK_INTERVAL_MS = 50;
/** The kernel needs a moment to take down a killed process. */
const KILL_LIMIT_MS = 5_000;

export type StopOutcome =
  | { readonly kind: 'was_not_running' }
  | { readonly kind: 'stopped'; readonly pid: number }
  | { readonly kind: 'killed'; readonly pid: number }
  /** It has the workspace, but is neither ready nor gone in time; nothing was done to it. */
  | { readonly kind: 'stuck'; readonly pid: number }
  /** Its process belongs to someone else. */
  | { readonly kind: 'not_ours'; readonly state: ProcessState; readonly reason: string };

export async function stopBox(workspaceDir: string, clock: Clock, graceMs = GRACE_MS): Promise<StopOutcome> {
  const state = await readBoxState(workspaceDir);
  if (state === null) return awaitUnnamedBox(workspaceDir, clock, graceMs);
  if (state.mode === 'docker') return { kind: 'was_not_running' };
  if (!(await isBoxProcess(state))) return { kind: 'was_not_running' };
  try {
    process.kill(state.pid, 'SIGTERM');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ESRCH') return { kind: 'was_not_running' };
    return { kind: 'not_ours', state, reason: 'its process belongs to another user' };
  }
  if (await waitForEnd(state.pid, clock, graceMs)) return { kind: 'stopped', pid: state.pid };
  // The number may have been given away while we waited.
  if (!(await isBoxProcess(state))) return { kind: 'stopped', pid: state.pid };
  process.kill(state.pid, 'SIGKILL');
  await waitForEnd(state.pid, clock, KILL_LIMIT_MS);
  return { kind: 'killed', pid: state.pid };
}

/** A box without `box.json` is stopping already, or still starting; the latter is stopped once it is ready. */
async function awaitUnnamedBox(workspaceDir: string, clock: Clock, graceMs: number): Promise<StopOutcome> {
  const startedAt = clock.now();
  let seen: number | null = null;
  while (clock.now() - startedAt <= graceMs) {
    const [pid] = await findBoxProcesses(workspaceDir);
    if (pid === undefined)
      return seen === null ? { kind: 'was_not_running' } : { kind: 'stopped', pid: seen };
    seen = pid;
    if ((await readBoxState(workspaceDir)) !== null) return stopBox(workspaceDir, clock, graceMs);
    await clock.sleep(LOOK_INTERVAL_MS);
  }
  return { kind: 'stuck', pid: seen! };
}

async function waitForEnd(pid: number, clock: Clock, limitMs: number): Promise<boolean> {
  const startedAt = clock.now();
  while (clock.now() - startedAt <= limitMs) {
    if (!processIsAlive(pid)) return true;
    await clock.sleep(LOOK_INTERVAL_MS);
  }
  return !processIsAlive(pid);
}
