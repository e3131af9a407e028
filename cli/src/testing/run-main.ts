import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MAIN = join(import.meta.dirname, '..', 'main.ts');
/** What the launcher uses too; without it every child compiles all sources again. */
const COMPILE_CACHE = join(import.meta.dirname, '../../../node_modules/.cache/dbox');
/** Many times what any of these commands takes; a child that hangs fails its test. */
const LIMIT_MS = 30_000;

export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningMain {
  readonly child: ChildProcess;
  /** Resolves once stderr (or stdout) has this text; rejects when the process ends without it. */
  said(text: string, where?: 'stdout' | 'stderr'): Promise<void>;
  readonly ended: Promise<Ended>;
}

export interface MainOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
}

/** Runs the command line as a person does, in a process of its own. */
export function startMain(args: readonly string[], options: MainOptions = {}): RunningMain {
  const child = spawn(process.execPath, ['--no-warnings', MAIN, ...args], {
    cwd: options.cwd ?? tmpdir(),
    env: {
      PATH: process.env.PATH ?? '',
      HOME: process.env.HOME ?? '/',
      NODE_COMPILE_CACHE: COMPILE_CACHE,
      ...options.env,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  child.stdin.end(options.input ?? '');
  const heard = { stdout: '', stderr: '' };
  const waiting = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      heard[name] += text;
      for (const look of waiting) look();
    });
  }
  const ended = new Promise<Ended>((resolve) =>
    child.once('close', (exitCode) => resolve({ exitCode, ...heard })),
  );
  return {
    child,
    ended,
    said: (text, where = 'stderr') =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!heard[where].includes(text)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
        void ended.then((end) => reject(new Error(`ended without "${text}": ${JSON.stringify(end)}`)));
      }),
  };
}

export function runMain(args: readonly string[], options: MainOptions = {}): Promise<Ended> {
  return startMain(args, options).ended;
}

export interface TestWorkspace {
  readonly dir: string;
  /** For a child: this workspace and no other. */
  readonly env: Readonly<Record<string, string>>;
  /** Writes what a ready box writes. */
  announce(box: { readonly url: string; readonly pid?: number }): Promise<void>;
  remove(): Promise<void>;
}

export async function makeWorkspace(): Promise<TestWorkspace> {
  const dir = await mkdtemp(join(tmpdir(), 'dbox-cli-'));
  await mkdir(join(dir, 'secrets'));
  await writeFile(join(dir, 'secrets', 'admin.token'), 'the-admin-token\n', { mode: 0o600 });
  return {
    dir,
    env: { DBOX_WORKSPACE: dir },
    announce: (box) =>
      writeFile(
        join(dir, 'box.json'),
        JSON.stringify({ pid: process.pid, version: '0.1.0', mode: 'process', ...box }),
      ),
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}
