import { spawn } from 'node:child_process';

const MAX_OUTPUT_BYTES = 1024 * 1024;

export interface RunProgram {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

export interface ProgramOutcome {
  /** `missing`: there is no such program. */
  readonly end: 'exited' | 'timed_out' | 'aborted' | 'missing';
  readonly exitCode: number | null;
  /** The first 1 MiB of each. */
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program in its own group, without input, and ends the whole group when its time is up. Never throws. */
export function runProgram(run: RunProgram): Promise<ProgramOutcome> {
  return new Promise((resolve) => {
    let end: ProgramOutcome['end'] = 'exited';
    // In its own group it does not get the terminal's Ctrl-C. A second one ends this process at once.
    const interrupt = (): void => {
      process.removeListener('SIGINT', interrupt);
      stop('aborted');
    };
    // Before it starts, so that there is no moment in which Ctrl-C ends us and leaves it behind.
    process.on('SIGINT', interrupt);
    const child = spawn(run.program, run.args, {
      ...(run.cwd === undefined ? {} : { cwd: run.cwd }),
      env: run.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const stop = (why: ProgramOutcome['end']): void => {
      end = why;
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It ended in the same moment.
      }
    };
    const timer = setTimeout(() => stop('timed_out'), run.timeoutMs);
    const stdout = keepHead(child.stdout);
    const stderr = keepHead(child.stderr);
    const finish = (exitCode: number | null): void => {
      clearTimeout(timer);
      process.removeListener('SIGINT', interrupt);
      resolve({ end, exitCode, stdout: stdout(), stderr: stderr() });
    };
    child.once('error', (error) => {
      end = 'missing';
      stderr.add(error.message);
      finish(null);
    });
    child.once('close', (code) => finish(code));
  });
}

function keepHead(stream: NodeJS.ReadableStream): (() => string) & { add(text: string): void } {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  const keep = (chunk: Buffer): void => {
    if (sizeBytes < MAX_OUTPUT_BYTES) chunks.push(chunk.subarray(0, MAX_OUTPUT_BYTES - sizeBytes));
    sizeBytes += chunk.length;
  };
  stream.on('data', keep);
  return Object.assign(() => Buffer.concat(chunks).toString('utf8'), {
    add: (text: string) => keep(Buffer.from(text)),
  });
}
