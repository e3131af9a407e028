import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { CommandContext } from '../command-context.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Scale } from '../stack/start-stack.ts';

/** Runs a command's body with its context and keeps the exit code. */
export type Runner = (
  command: Command,
  body: (context: CommandContext) => Promise<ExitCode>,
) => Promise<void>;

/** Examples below the help, one a line: what to type, and what it does. */
export function examples(...lines: readonly (readonly [command: string, meaning: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  return `\nExamples:\n${lines.map(([command, meaning]) => `  ./dbox ${command.padEnd(width)}  ${meaning}`.trimEnd()).join('\n')}`;
}

export function readCount(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give a whole number, 0 or more.');
}

export function readLimit(text: string): number {
  const limit = readCount(text);
  if (limit >= 1 && limit <= 1000) return limit;
  throw new InvalidArgumentError('Give a number from 1 to 1000.');
}

/** `coding-agent=3`, given as often as there are services. */
export function readScale(texts: readonly string[]): Scale {
  const scale: Record<string, number> = {};
  for (const text of texts) {
    const match = /^(coding-agent|testing-agent)=([1-9]\d?)$/.exec(text);
    if (!match) {
      throw new InvalidArgumentError(
        `--scale "${text}": write coding-agent=N or testing-agent=N, with N from 1 to 99; of the others there is one.`,
      );
    }
    scale[match[1]!] = Number(match[2]);
  }
  return scale;
}

/** Gathers an option that may be given again. */
export function gather(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
