import type { ChildProcess } from 'node:child_process';
import type { Usage } from './usage.ts';

/** How one kind of sandbox starts, measures and ends one command; the rest is the same for both. */
export interface Cage {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Written to the child's descriptor 5, which then ends. */
  readonly input: string;
  /**
   * How often its use is looked at. A bomb doubles in milliseconds, so a young or busy command is
   * watched eagerly; one that has been quiet for some seconds calmly, so that idle releases cost
   * nothing to speak of.
   */
  readonly watch: { readonly eagerlyMs: number; readonly calmlyMs: number };
  /** All that came on descriptor 3 so far. */
  hear(info: string): void;
  /** Null while it cannot be measured. */
  readUsage(child: ChildProcess): Usage | null;
  /** Dear; null where the kernel does not tell. */
  readExactMemoryBytes(child: ChildProcess): number | null;
  /** To everything the command started. */
  signalAll(signal: 'SIGTERM' | 'SIGKILL', child: ChildProcess): void;
  /** After the main process ended: ends what it left and says how many there were, beyond those it reported itself. */
  sweep(): Promise<number>;
  /** Removes what was made for this one command. */
  cleanUp(): Promise<void>;
}
