import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Config } from './config.ts';
import { boxModeOf } from './ensure-box.ts';
import type { CliErrorCode } from './failure.ts';
import { CliError } from './failure.ts';
import { composeArguments } from './stack/compose.ts';

/** What the tool says on its way: one JSON document a line. */
interface ToolLine {
  readonly step?: string;
  readonly bytes?: number;
  readonly result?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
}

export interface RunStoreTool {
  readonly config: Config;
  readonly args: readonly string[];
  /** An open file or `inherit`; none where the command takes no input. */
  readonly input?: number | 'inherit';
  readonly onStep?: (step: string) => void;
  /** How much of the input was read. */
  readonly onBytes?: (bytes: number) => void;
}

export interface RunningTool {
  /** What it writes to standard output; must be read. */
  readonly output: Readable;
  /** Resolves with its result, rejects with its error. */
  readonly result: Promise<unknown>;
}

const LONGEST_COMPLAINT = 4 * 1024;

/**
 * The program that works on a box which does not run: next to this one, or, for a box of containers, in a
 * container of its manager, which reaches the store and has its password.
 */
export async function runStoreTool(run: RunStoreTool): Promise<RunningTool> {
  const { program, args, env } = await toolCommand(run);
  const child = spawn(program, args, { env, stdio: [run.input ?? 'ignore', 'pipe', 'pipe'] });
  let last: ToolLine | null = null;
  let complaint = '';
  let rest = '';
  const hear = (text: string): void => {
    const line = readLine(text);
    if (line === null) complaint = `${complaint}${text}\n`.slice(-LONGEST_COMPLAINT);
    else if (line.step !== undefined) run.onStep?.(line.step);
    else if (line.bytes !== undefined) run.onBytes?.(line.bytes);
    else last = line;
  };
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const one of lines) hear(one);
  });
  const result = new Promise<unknown>((resolve, reject) => {
    child.once('error', (cause) =>
      reject(new CliError('failed', `${program} could not be started: ${cause.message}`, { cause })),
    );
    child.once('close', (code, signal) => {
      if (rest !== '') hear(rest);
      if (last?.error !== undefined) reject(failureOf(last.error));
      else if (last !== null && 'result' in last && code === 0) resolve(last.result);
      else {
        const end = signal === null ? `with exit code ${code}` : `by ${signal}`;
        reject(new CliError('failed', `The work on the box ended ${end}.\n${complaint.trimEnd()}`.trimEnd()));
      }
    });
  });
  // Whoever reads the output first hears of a failure there; it must not count as unheard here.
  result.catch(() => undefined);
  return { output: child.stdout!, result };
}

async function toolCommand({ config, args }: RunStoreTool) {
  if ((await boxModeOf(config, false)) === 'process') {
    return {
      program: process.execPath,
      args: ['--no-warnings', join(config.checkoutDir, 'manager', 'src', 'tool.ts'), ...args],
      env: { ...config.boxEnvironment, DBOX_WORKSPACE: config.workspaceDir },
    };
  }
  // Without a terminal: what goes through is an archive.
  const inManager = ['run', '--rm', '--no-TTY', 'manager', 'node', '--no-warnings', 'manager/src/tool.ts'];
  return {
    program: 'docker',
    args: composeArguments(config, [...inManager, ...args, '--containers']),
    env: config.dockerEnvironment,
  };
}

function readLine(text: string): ToolLine | null {
  if (!text.startsWith('{')) return null;
  try {
    return JSON.parse(text) as ToolLine;
  } catch {
    return null;
  }
}

function failureOf(error: NonNullable<ToolLine['error']>): CliError {
  const code: CliErrorCode = error.code === 'usage' ? 'usage' : 'failed';
  const message =
    error.code === 'archive_refused' ? `The archive is refused: ${error.message}.` : sentence(error.message);
  return new CliError(code, message);
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
