import { spawn } from 'node:child_process';
import { closeSync, constants, existsSync, openSync } from 'node:fs';
import { mkdir, open, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { BoxState } from './box-state.ts';
import { boxAnswers, findBoxProcesses, processIsAlive, readBoxState } from './box-state.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import { CliError } from './failure.ts';
import { plainText } from './plain-text.ts';
import { takeStartTurn } from './start-turn.ts';

/** A box starts in about a second; with many releases to adopt it may take longer. */
const START_LIMIT_MS = 60_000;
const LOOK_INTERVAL_MS = 40;
/** What a box prints is little; past this the file is set aside, and one older file is kept. */
const MAX_LOG_BYTES = 5 * 1024 * 1024;
const TAIL_BYTES = 4 * 1024;
const TAIL_LINES = 12;
/**
 * The box lives on some 40 MB of objects. V8 would let a burst of short-lived ones, such as a release
 * that floods its log, grow that to ten times as much before it collects, and keep it.
 */
const SMALL_HEAP = ['--max-semi-space-size=4', '--heap-growing-percent=40'];

export interface StartBox {
  readonly config: Config;
  readonly clock: Clock;
  readonly sandbox: boolean;
  /** Others may reach it without TLS. */
  readonly insecure?: boolean;
  /** Called once, when it turns out that a box has to be started. */
  readonly onStarting: () => void;
  /** Called once, when another process still has the workspace: a box that stops, or one that starts. */
  readonly onWaiting: (pid: number) => void;
}

/** The running box, started where there was none. Of several callers at once one starts it, all get it. */
export async function startBox(start: StartBox): Promise<{ state: BoxState; started: boolean }> {
  const { config, clock } = start;
  const running = await findLivingBox(config.workspaceDir);
  if (running) return { state: running, started: false };
  await mkdirOrExplain(config.workspaceDir);
  const turn = await takeStartTurn({
    workspaceDir: config.workspaceDir,
    clock,
    limitMs: START_LIMIT_MS,
    isDone: async () => (await findLivingBox(config.workspaceDir)) !== null,
  });
  try {
    const meanwhile =
      (await findLivingBox(config.workspaceDir)) ?? (await awaitUnnamedBox(start, START_LIMIT_MS));
    if (meanwhile) return { state: meanwhile, started: false };
    start.onStarting();
    return await spawnBox(start);
  } finally {
    await turn.release();
  }
}

/** The box that `box.json` names, where its process lives and it answers. */
export async function findLivingBox(workspaceDir: string): Promise<BoxState | null> {
  const state = await readBoxState(workspaceDir);
  if (state === null || (state.mode === 'process' && !processIsAlive(state.pid))) return null;
  return (await boxAnswers(state.url)) ? state : null;
}

/**
 * Waits for a box that `box.json` does not name: the one that is stopping has to be gone before the
 * workspace is free, the one that is starting becomes ready. Null once the workspace is free, or where
 * waiting does not help; then the box itself says who holds it.
 */
async function awaitUnnamedBox(
  { config, clock, onWaiting }: Pick<StartBox, 'config' | 'clock' | 'onWaiting'>,
  limitMs: number,
): Promise<BoxState | null> {
  const startedAt = clock.now();
  let said = false;
  while (clock.now() - startedAt <= limitMs) {
    const [pid] = await findBoxProcesses(config.workspaceDir);
    if (pid === undefined) return null;
    if (!said) onWaiting(pid);
    said = true;
    await clock.sleep(LOOK_INTERVAL_MS);
    const ready = await findLivingBox(config.workspaceDir);
    if (ready) return ready;
  }
  return null;
}

async function spawnBox(start: StartBox): Promise<{ state: BoxState; started: boolean }> {
  const { config, clock } = start;
  const logFile = join(config.workspaceDir, 'box.log');
  const logStart = await rotateLog(logFile);
  const script = join(config.checkoutDir, 'box', 'src', 'main.ts');
  if (!existsSync(script)) {
    throw new CliError('failed', `${script} is missing; this checkout is not whole.`, {
      hint: 'Run `git status` in it, or clone it again.',
    });
  }
  // Not O_TRUNC: the box before may still be writing its last lines.
  const log = openSync(logFile, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, 0o600);
  const child = spawn(
    process.execPath,
    [
      ...['--no-warnings', ...SMALL_HEAP, script, '--workspace', config.workspaceDir],
      ...['--port', String(config.managerPort), '--gateway-port', String(config.gatewayPort)],
      ...(start.sandbox ? [] : ['--no-sandbox']),
      ...(start.insecure ? ['--insecure'] : []),
    ],
    {
      cwd: config.checkoutDir,
      // Its own session, so that closing the terminal or Ctrl-C here does not reach it.
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...config.boxEnvironment },
    },
  );
  closeSync(log);
  let ended: string | null = null;
  child.once('exit', (code, signal) => {
    ended = signal === null ? `with exit code ${code}` : `by ${signal}`;
  });
  child.once('error', (error) => {
    ended = `before it ran (${error.message})`;
  });
  child.unref();

  const startedAt = clock.now();
  while (true) {
    const state = await readBoxState(config.workspaceDir);
    // Another one may have won the workspace: the lock on task.db decides, not this process.
    if (state?.mode === 'process' && processIsAlive(state.pid) && (await boxAnswers(state.url))) {
      return { state, started: state.pid === child.pid };
    }
    if (ended !== null) {
      throw new CliError(
        'box_did_not_start',
        `The box ended ${ended}.\n${await readTail(logFile, logStart)}`,
        {
          hint: `The whole log is ${logFile}; \`./dbox doctor\` checks what it needs.`,
        },
      );
    }
    if (clock.now() - startedAt > START_LIMIT_MS) {
      throw new CliError(
        'box_did_not_start',
        `The box (process ${child.pid}) was not ready within ${START_LIMIT_MS / 1000} s and is left running.\n${await readTail(logFile, logStart)}`,
        { hint: `See ${logFile}; \`./dbox down\` stops it once it is ready, \`kill ${child.pid}\` at once.` },
      );
    }
    await clock.sleep(LOOK_INTERVAL_MS);
  }
}

async function mkdirOrExplain(workspaceDir: string): Promise<void> {
  try {
    // Stories, sources, logs and the store are for nobody else on the machine. One that is there keeps its mode.
    await mkdir(workspaceDir, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new CliError(
      'failed',
      `The workspace ${workspaceDir} cannot be made: ${(cause as Error).message}`,
      {
        hint: 'Choose another place with DBOX_WORKSPACE=DIR.',
        cause,
      },
    );
  }
}

/** Where what is printed from now on begins. */
async function rotateLog(logFile: string): Promise<number> {
  const sizeBytes = await stat(logFile).then(
    (found) => found.size,
    () => 0,
  );
  if (sizeBytes <= MAX_LOG_BYTES) return sizeBytes;
  await rename(logFile, `${logFile}.1`);
  return 0;
}

/** What the box said, its own `dbox:` lines before anything else it printed. */
async function readTail(logFile: string, from: number): Promise<string> {
  const file = await open(logFile, 'r').catch(() => null);
  if (file === null) return '';
  try {
    const { size } = await file.stat();
    const begin = Math.max(from, size - TAIL_BYTES);
    const buffer = Buffer.alloc(Math.max(0, size - begin));
    await file.read(buffer, 0, buffer.length, begin);
    const lines = plainText(buffer.toString('utf8')).trimEnd().split('\n');
    const own = lines.filter((line) => line.startsWith('dbox: '));
    return own.length > 0
      ? own.map((line) => line.slice('dbox: '.length)).join('\n')
      : lines
          .filter((line) => !/^\s+at /.test(line))
          .slice(-TAIL_LINES)
          .join('\n');
  } finally {
    await file.close();
  }
}
