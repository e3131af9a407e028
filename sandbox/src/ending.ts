import { constants } from 'node:os';
import type { CommandLimits, CommandOutcome } from './sandbox.ts';
import type { Excess } from './usage.ts';

/** How a command ended, without what it printed. */
export type Ending = Pick<CommandOutcome, 'end' | 'exitCode' | 'signal' | 'leftBehind' | 'detail'>;

export interface Evidence {
  /** Set where the sandbox itself ended it. */
  readonly forced: { readonly end: CommandOutcome['end']; readonly detail: string } | null;
  /** What the supervising shell said: `started`, then `left N`. */
  readonly report: string;
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly swept: number;
  readonly outputHead: string;
}

export function hasStarted(report: string): boolean {
  return report.startsWith('started\n');
}

export function judgeEnding(evidence: Evidence): Ending {
  const { forced, report, swept } = evidence;
  const leftBehind = swept + Number(/^left (\d+)$/m.exec(report)?.[1] ?? 0);
  if (forced !== null) return { ...forced, exitCode: null, signal: null, leftBehind };
  const exitCode =
    evidence.exitCode ?? (evidence.signal === null ? null : 128 + constants.signals[evidence.signal]);
  if (!hasStarted(report)) {
    const said = evidence.outputHead.trim().split('\n').at(-1)?.slice(0, 300);
    const detail = `could not be started: ${said ? said : `exit ${exitCode}`}`;
    return { end: 'could_not_start', exitCode: null, signal: null, leftBehind, detail };
  }
  const signal = exitCode === null ? null : signalOf(exitCode);
  return { end: 'exited', exitCode, signal, leftBehind, detail: describeExit(exitCode, signal, leftBehind) };
}

function signalOf(exitCode: number): string | null {
  if (exitCode <= 128) return null;
  const found = Object.entries(constants.signals).find(([, number]) => number === exitCode - 128);
  return found?.[0] ?? null;
}

function describeExit(exitCode: number | null, signal: string | null, leftBehind: number): string {
  const how = signal === null ? `exit ${exitCode}` : `exit ${exitCode} (${signal})`;
  if (leftBehind === 0) return how;
  const processes = leftBehind === 1 ? 'a process' : `${leftBehind} processes`;
  return `${how}; left ${processes} behind, which the sandbox ended`;
}

export function describeExcess(end: Excess, limits: CommandLimits): string {
  return end === 'out_of_memory'
    ? `used more than ${limits.memoryMb} MB of memory and was ended`
    : `had more than ${limits.processes} processes at once and was ended`;
}
