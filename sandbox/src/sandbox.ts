import type { Toolchain } from './toolchain.ts';

export interface Mount {
  readonly host: string;
  /** Absolute path inside; exists only where the sandbox is bubblewrap, see `Sandbox.pathOf`. */
  readonly inside: string;
}

export interface CommandLimits {
  /** Null: until it ends or is stopped. */
  readonly timeoutMs: number | null;
  /** Private memory of all its processes together; files in /tmp may take as much again. */
  readonly memoryMb: number;
  readonly processes: number;
  readonly headBytes: number;
  readonly tailBytes: number;
  /** Largest single file it may write. */
  readonly fileSizeMb: number;
}

export interface SandboxCommand {
  /** A shell command line, run by `/bin/sh -c` inside. */
  readonly run: string;
  /** Host directory that becomes the working directory and, besides `writable` and a private /tmp, the only place that can be written. */
  readonly tree: string;
  readonly writable?: readonly Mount[];
  readonly readable?: readonly Mount[];
  /** Nothing is inherited; PATH, HOME, TMPDIR and LANG are set by the sandbox unless given here. */
  readonly env: Readonly<Record<string, string>>;
  /** `none`: a private loopback only. Not enforced where the sandbox is `none`. */
  readonly network: 'none' | 'host';
  readonly limits: CommandLimits;
  /** Lines are cut at 8 KiB; past a rate of lines and bytes a second they are dropped and the gap is marked. */
  readonly onLine?: (stream: 'stdout' | 'stderr', line: string) => void;
  readonly signal?: AbortSignal;
}

export interface CommandOutcome {
  readonly end:
    | 'exited'
    | 'timed_out'
    | 'out_of_memory'
    | 'too_many_processes'
    | 'aborted'
    | 'could_not_start';
  /** 128 + n where signal n ended it, as a shell says it; null where it was ended from outside. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Standard output and error in the order they came. `head + tail` is everything where `cutBytes` is 0. */
  readonly head: string;
  readonly tail: string;
  readonly cutBytes: number;
  readonly durationMs: number;
  /** Processes that were still there after the command itself had ended; they were ended. */
  readonly leftBehind: number;
  /** One sentence: how it ended. */
  readonly detail: string;
}

export interface SandboxedProcess {
  /** On the host: the process whose end ends everything inside. */
  readonly pid: number;
  readonly marker: string;
  /** Never rejects. */
  readonly exited: Promise<CommandOutcome>;
  /** SIGTERM to everything inside, then SIGKILL after `graceMs`; returns once all are gone. */
  stop(graceMs: number): Promise<void>;
}

export interface Sandbox {
  readonly kind: 'bubblewrap' | 'none';
  /** Why there is none and which package to install; null where there is one. */
  readonly missing: string | null;
  readonly toolchain: Toolchain;
  /** Never rejects because of what the command does: that is in the outcome. */
  run(command: SandboxCommand): Promise<CommandOutcome>;
  /** Everything it starts carries the marker in its environment, for `endMarked` after a crash. */
  start(command: SandboxCommand & { readonly marker: string }): Promise<SandboxedProcess>;
  /** Where the command finds this mount: `inside`, or without a sandbox the host's own path. */
  pathOf(mount: Mount): string;
}
