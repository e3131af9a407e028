import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface Subject {
  readonly pid: number;
  /** The one line of JSON that it prints when it is ready. */
  readonly ready: Record<string, unknown>;
  stop(): Promise<void>;
}

/** Starts a program of this room as a process of its own, so that the load's work is not counted as its. */
export async function startSubject(file: string, args: readonly string[]): Promise<Subject> {
  const child = spawn(process.execPath, ['--no-warnings', join(import.meta.dirname, file), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await Promise.race([
    once(createInterface(child.stdout), 'line'),
    once(child, 'exit').then(() => {
      throw new Error(`${file} ended before it was ready`);
    }),
  ])) as [string];
  return {
    pid: child.pid!,
    ready: JSON.parse(line) as Record<string, unknown>,
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await once(child, 'exit');
      clearTimeout(timer);
    },
  };
}
