import type { BoxConnection } from './box-connection.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import type { ExitCode } from './exit-codes.ts';
import type { Output } from './output.ts';

/** Flags that every command takes. */
export interface GlobalFlags {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  /** False with `--no-color`. */
  readonly colour: boolean;
  /** False with `--no-input`: never ask, fail instead. */
  readonly input: boolean;
  readonly yes: boolean;
  readonly project: string | null;
}

/** What a command works with; `config` already holds what flags such as `--host` changed. */
export interface CommandContext {
  readonly config: Config;
  readonly flags: GlobalFlags;
  readonly output: Output;
  readonly clock: Clock;
  readonly box: BoxConnection;
}

export type CommandResult = Promise<ExitCode>;
