import { spawn } from 'node:child_process';

/** git's own subcommands are looked up here unless the caller's PATH is given. */
const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin';
const DEFAULT_TIMEOUT_MS = 60_000;
const DEFAULT_OUTPUT_BYTES = 8 * 1024 * 1024;
const STDERR_BYTES = 4 * 1024;
/**
 * Address space for taking a pack in. An object of 64 MiB with its delta base needs less than half;
 * a delta that claims gigabytes ends there and not in the host's memory.
 */
const UNPACK_MEMORY_KB = 1024 * 1024;

/** Nothing of the host's git set-up counts, nothing of a repository's content is executed or obeyed. */
const SETTINGS = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.attributesFile=/dev/null',
  'core.autocrlf=false',
  'core.symlinks=true',
  'core.protectHFS=true',
  'core.protectNTFS=true',
  // What the store says about a commit must still be true after a power cut.
  'core.fsync=all',
  'core.bigFileThreshold=16m',
  // Two that move refs of one project at once wait for each other.
  'core.filesRefLockTimeout=5000',
  'core.packedRefsTimeout=5000',
  'transfer.fsckObjects=true',
  'receive.fsckObjects=true',
  'fetch.fsckObjects=true',
  'protocol.allow=never',
  'submodule.recurse=false',
  'gc.auto=0',
  'maintenance.auto=false',
  'pack.threads=1',
  'repack.writeBitmaps=false',
].flatMap((setting) => ['-c', setting]);

export interface GitProgram {
  readonly git: string;
  readonly path: string;
}

export function gitProgram(options: { readonly git?: string; readonly path?: string }): GitProgram {
  return { git: options.git ?? 'git', path: options.path ?? DEFAULT_PATH };
}

export interface GitCall {
  readonly args: readonly string[];
  /** A bare repository; left out only where there is none yet. */
  readonly gitDir?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Text for standard input, or an open file that is read from where it stands; closed otherwise. */
  readonly stdin?: string | { readonly fd: number };
  /** An open file that takes standard output. */
  readonly stdoutFd?: number;
  /** Gets standard output as it comes; `enough` ends the process. Otherwise it is collected. */
  readonly onOutput?: (chunk: Buffer) => 'more' | 'enough';
  /** Of collected output; the process is ended where there is more, and `cut` says so. */
  readonly maxOutputBytes?: number;
  readonly timeoutMs?: number;
  readonly limitMemory?: boolean;
}

export interface GitOutcome {
  /** Null where it was ended by a signal. */
  readonly exitCode: number | null;
  readonly stdout: Buffer;
  /** The end of what it complained about. */
  readonly stderr: string;
  /** There was more output than asked for. */
  readonly cut: boolean;
  readonly timedOut: boolean;
}

/** git did not do what it should always be able to do: a fault of the host or a bug, never of a commit. */
export class GitError extends Error {
  override readonly name = 'GitError';
  /** As node names it: whoever answers for the host can then say what to do. Null for anything else. */
  readonly code: 'ENOSPC' | null;

  constructor(message: string, options: { readonly cause?: unknown; readonly code?: 'ENOSPC' | null } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code ?? null;
  }
}

/** One git process in a group of its own: no inherited environment, bounded output and time. Rejects only where git cannot be started. */
export function runGit(program: GitProgram, call: GitCall): Promise<GitOutcome> {
  const gitArgs = [...SETTINGS, ...(call.gitDir ? [`--git-dir=${call.gitDir}`] : []), ...call.args];
  // The shell is there for `ulimit` alone; git and its arguments are passed on as they are.
  const [command, args] = call.limitMemory
    ? [
        '/bin/sh',
        ['-c', `ulimit -v ${UNPACK_MEMORY_KB} 2>/dev/null; exec "$0" "$@"`, program.git, ...gitArgs],
      ]
    : [program.git, gitArgs];
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: call.cwd ?? call.gitDir ?? '/',
      env: { ...environment(program), ...call.env },
      detached: true,
      stdio: [
        call.stdin === undefined ? 'ignore' : typeof call.stdin === 'string' ? 'pipe' : call.stdin.fd,
        call.stdoutFd ?? 'pipe',
        'pipe',
      ],
    });
    const chunks: Buffer[] = [];
    const complaints: Buffer[] = [];
    const maxBytes = call.maxOutputBytes ?? DEFAULT_OUTPUT_BYTES;
    let outputBytes = 0;
    let cut = false;
    let timedOut = false;
    const end = () => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    };
    const timer = setTimeout(() => {
      timedOut = true;
      end();
    }, call.timeoutMs ?? DEFAULT_TIMEOUT_MS);

    child.stdout?.on('data', (chunk: Buffer) => {
      if (cut) return;
      if (call.onOutput) {
        cut = call.onOutput(chunk) === 'enough';
      } else {
        cut = outputBytes + chunk.length > maxBytes;
        chunks.push(cut ? chunk.subarray(0, maxBytes - outputBytes) : chunk);
        outputBytes += chunk.length;
      }
      if (cut) end();
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      complaints.push(chunk.subarray(-STDERR_BYTES));
      if (complaints.length > 32) complaints.splice(0, complaints.length, tail(complaints));
    });
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(new GitError(`git could not be started: ${error.message}`, { cause: error }));
    });
    child.on('close', (exitCode) => {
      clearTimeout(timer);
      const stderr = tail(complaints).toString('utf8').trim();
      resolve({ exitCode, stdout: Buffer.concat(chunks), stderr, cut, timedOut });
    });
    if (typeof call.stdin === 'string') {
      // git may end before it has read all of it; its exit code says why.
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(call.stdin);
    }
  });
}

/** What git printed; throws `GitError` where it failed. */
export async function git(program: GitProgram, call: GitCall): Promise<string> {
  const outcome = await runGit(program, call);
  if (outcome.exitCode !== 0 || outcome.cut) throw failure(call, outcome);
  return outcome.stdout.toString('utf8');
}

export function failure(call: GitCall, outcome: GitOutcome): GitError {
  const what = `git ${call.args.slice(0, 2).join(' ')}`;
  if (outcome.timedOut) return new GitError(`${what} took too long and was ended`);
  if (outcome.cut) return new GitError(`${what} printed more than was asked for`);
  // What strerror says in the C locale, which these processes run under.
  const isFull = /No space left on device|Disk quota exceeded/.test(outcome.stderr);
  return new GitError(`${what} failed with ${outcome.exitCode ?? 'a signal'}: ${outcome.stderr}`, {
    code: isFull ? 'ENOSPC' : null,
  });
}

function tail(chunks: readonly Buffer[]): Buffer {
  return Buffer.concat(chunks).subarray(-STDERR_BYTES);
}

function environment(program: GitProgram): Record<string, string> {
  return {
    PATH: program.path,
    // No home: nothing of the person's own set-up is read.
    HOME: '/nonexistent',
    LC_ALL: 'C',
    TZ: 'UTC',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_LAZY_FETCH: '1',
    GIT_ADVICE: '0',
  };
}
