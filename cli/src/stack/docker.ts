import { spawn } from 'node:child_process';
import type { Config } from '../config.ts';

/** The newest lines are those that say what went wrong. */
const MAX_OUTPUT_BYTES = 512 * 1024;

export interface DockerRun {
  readonly config: Pick<Config, 'dockerEnvironment' | 'checkoutDir'>;
  readonly args: readonly string[];
  readonly timeoutMs: number;
  /** Docker's own progress, drawn on this terminal. */
  readonly showProgress?: boolean;
}

export interface DockerOutcome {
  readonly end: 'exited' | 'timed_out' | 'missing';
  readonly ok: boolean;
  readonly stdout: string;
  /** Cut at its beginning where it is long. */
  readonly stderr: string;
}

/** Runs docker's command without input. Never throws. Ctrl-C reaches it too, as it is this terminal's. */
export function runDocker(run: DockerRun): Promise<DockerOutcome> {
  return new Promise((resolve) => {
    const child = spawn('docker', run.args, {
      cwd: run.config.checkoutDir,
      env: run.config.dockerEnvironment,
      stdio: ['ignore', 'pipe', run.showProgress ? 'inherit' : 'pipe'],
    });
    // Not spawn's own: it would keep this process for its whole time where there is no such program.
    const timer = setTimeout(() => child.kill('SIGTERM'), run.timeoutMs);
    const stdout = keepTail(child.stdout);
    const stderr = keepTail(child.stderr);
    child.once('error', (error) => {
      clearTimeout(timer);
      resolve({ end: 'missing', ok: false, stdout: '', stderr: error.message });
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      const end = signal === null ? 'exited' : 'timed_out';
      resolve({ end, ok: code === 0, stdout: stdout(), stderr: stderr() });
    });
  });
}

function keepTail(stream: NodeJS.ReadableStream | null): () => string {
  let chunks: Buffer[] = [];
  let sizeBytes = 0;
  stream?.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    sizeBytes += chunk.length;
    if (sizeBytes <= 2 * MAX_OUTPUT_BYTES) return;
    chunks = [Buffer.concat(chunks).subarray(-MAX_OUTPUT_BYTES)];
    sizeBytes = MAX_OUTPUT_BYTES;
  });
  return () => Buffer.concat(chunks).subarray(-MAX_OUTPUT_BYTES).toString('utf8');
}

export function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
