import { spawn } from 'node:child_process';
import { readHostPath } from './config.ts';

export interface GitOptions {
  readonly cwd: string;
  readonly signal?: AbortSignal;
  /** 2 minutes where not given: the largest bundle (256 MiB) unpacks in seconds. */
  readonly timeoutMs?: number;
  readonly stdin?: string | Uint8Array;
  /** Standard output past this is an error; 16 MiB where not given. */
  readonly maxOutputBytes?: number;
  /** Exit codes that are answers rather than errors; 0 is always one. */
  readonly okExitCodes?: readonly number[];
  /** Author, committer and dates of a commit. Nothing else should be needed. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface GitOutput {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** Git ended badly, ran out of time or said too much. */
export class GitError extends Error {
  override readonly name = 'GitError';
  readonly exitCode: number | null;
  readonly stderr: string;

  constructor(message: string, exitCode: number | null, stderr: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
    this.stderr = stderr;
  }
}

/**
 * A repository may be hostile, so nothing that it or the machine's owner has configured is run:
 * no hooks, no fsmonitor, no remote helpers, no credential prompts. Only files and bundles can be
 * fetched from.
 */
const SAFE_SETTINGS = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.quotePath=false',
  'core.autocrlf=false',
  'core.pager=cat',
  'core.editor=false',
  'commit.gpgSign=false',
  'credential.helper=',
  'protocol.allow=never',
  'protocol.file.allow=always',
  'protocol.ext.allow=never',
  'submodule.recurse=false',
  'gc.auto=0',
  'maintenance.auto=false',
  'advice.detachedHead=false',
].flatMap((setting) => ['-c', setting]);

const STDERR_BYTES = 64 * 1024;

/** Runs git in its own process group, which is killed as a whole on time-out, abort or too much output. */
export function git(args: readonly string[], options: GitOptions): Promise<GitOutput> {
  options.signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const child = spawn('git', [...SAFE_SETTINGS, ...args], {
      cwd: options.cwd,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        PATH: readHostPath(),
        HOME: '/nonexistent',
        LANG: 'C.UTF-8',
        TZ: 'UTC',
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_CONFIG_GLOBAL: '/dev/null',
        GIT_TERMINAL_PROMPT: '0',
        GIT_OPTIONAL_LOCKS: '0',
        GIT_NO_REPLACE_OBJECTS: '1',
        ...options.env,
      },
    });
    const maxOutputBytes = options.maxOutputBytes ?? 16 * 1024 * 1024;
    const stdout: Buffer[] = [];
    let stdoutBytes = 0;
    let stderr = '';
    let killedFor: string | null = null;

    const kill = (why: string) => {
      killedFor ??= why;
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // The group has ended already.
      }
    };
    const onAbort = () => kill('was stopped');
    const timer = setTimeout(() => kill('took too long'), options.timeoutMs ?? 120_000);
    options.signal?.addEventListener('abort', onAbort, { once: true });
    const settle = () => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
    };

    child.stdout.on('data', (chunk: Buffer) => {
      stdoutBytes += chunk.length;
      if (stdoutBytes > maxOutputBytes) kill('said too much');
      else stdout.push(chunk);
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      if (stderr.length < STDERR_BYTES) stderr += chunk;
    });
    // Git may end before it has read its input; its exit code tells, not the broken pipe.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.stdin ?? '');

    child.on('error', (cause: NodeJS.ErrnoException) => {
      settle();
      const message =
        cause.code === 'ENOENT' ? 'git could not be started: is it installed?' : 'git could not be started';
      reject(new GitError(message, null, '', { cause }));
    });
    child.on('close', (exitCode) => {
      settle();
      if (options.signal?.aborted) return reject(options.signal.reason);
      const what = `git ${args.find((arg) => !arg.startsWith('-')) ?? ''}`;
      if (killedFor !== null) return reject(new GitError(`${what} ${killedFor}`, null, stderr));
      const code = exitCode ?? -1;
      if (code !== 0 && !options.okExitCodes?.includes(code)) {
        return reject(
          new GitError(`${what} ended with ${code}: ${stderr.trim().slice(0, 500)}`, code, stderr),
        );
      }
      resolve({ stdout: Buffer.concat(stdout).toString('utf8'), stderr, exitCode: code });
    });
  });
}
