import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import type { Cage } from './cage.ts';
import { type Clock, systemClock } from './clock.ts';
import { describeExcess, hasStarted, judgeEnding } from './ending.ts';
import { coverInherited } from './inherited-descriptors.ts';
import { openLineReader } from './line-reader.ts';
import { closeChildEnds, type OutputPipe, openOutputPipes } from './output-pipes.ts';
import { openOutputWindow } from './output-window.ts';
import type { CommandOutcome, SandboxCommand, SandboxedProcess } from './sandbox.ts';
import { watchUsage } from './usage-watch.ts';

/** Once killed, a process is gone in milliseconds; past this, its pipes are given up. */
const DRAIN_MS = 2_000;
const MAX_REPORT_BYTES = 4_096;

/** Runs one command in its cage and holds it to its limits. Resolves once it has begun, or could not. Never rejects. */
export async function superviseCommand(
  cage: Cage,
  command: SandboxCommand,
  marker: string,
  clock: Clock = systemClock,
): Promise<SandboxedProcess> {
  const { limits } = command;
  const startedAtMs = clock.nowMs();
  const durationMs = () => Math.round(clock.nowMs() - startedAtMs);
  const output = openOutputWindow(limits);

  async function giveUp(end: 'aborted' | 'could_not_start', detail: string): Promise<SandboxedProcess> {
    await cage.cleanUp().catch(() => {});
    const ending = { end, exitCode: null, signal: null, leftBehind: 0, detail };
    const outcome = { ...ending, ...output.read(), durationMs: durationMs() };
    return { pid: 0, marker, exited: Promise.resolve(outcome), stop: async () => {} };
  }

  const readers = (['stdout', 'stderr'] as const).map((stream) =>
    command.onLine ? openLineReader(clock, (line) => command.onLine?.(stream, line)) : null,
  );
  const take = (index: 0 | 1) => (chunk: Uint8Array) => {
    output.add(chunk);
    readers[index]?.add(chunk);
  };
  let child: ChildProcess;
  let pipes: readonly OutputPipe[] = [];
  try {
    pipes = await openOutputPipes([take(0), take(1)]);
    if (command.signal?.aborted) throw new Error('was stopped before it began');
    child = await spawnInCage(cage, pipes);
  } catch (error) {
    for (const pipe of pipes) pipe.destroy();
    if (command.signal?.aborted) return giveUp('aborted', 'was stopped before it began');
    return giveUp(
      'could_not_start',
      `could not be started: ${error instanceof Error ? error.message : error}`,
    );
  } finally {
    closeChildEnds(pipes);
  }

  let forced: { end: CommandOutcome['end']; detail: string } | null = null;
  let isOver = false;
  const cancels: (() => void)[] = [];
  function endAll(end: CommandOutcome['end'], detail: string): void {
    if (forced !== null || isOver) return;
    forced = { end, detail };
    cage.signalAll('SIGKILL', child);
    cancels.push(clock.after(DRAIN_MS, () => child.kill('SIGKILL')));
  }

  const [, , , info, reporter, input] = child.stdio as (Duplex | null | undefined)[];
  collectText(info, (text) => cage.hear(text));
  let report = '';
  const begun = new Promise<void>((resolve) => {
    collectText(reporter, (text) => {
      report = text;
      if (hasStarted(text)) resolve();
    });
  });
  input?.on('error', () => {}).end(cage.input);

  cancels.push(
    watchUsage({
      clock,
      limits,
      ...cage.watch,
      // Before it has begun, what looks like its inside is still the host.
      read: () => (hasStarted(report) ? cage.readUsage(child) : null),
      readExactMemoryBytes: () => cage.readExactMemoryBytes(child),
      onExcess: (excess) => endAll(excess, describeExcess(excess, limits)),
    }),
  );
  if (limits.timeoutMs !== null) {
    const detail = `did not end within ${limits.timeoutMs / 1_000} s and was ended`;
    cancels.push(clock.after(limits.timeoutMs, () => endAll('timed_out', detail)));
  }
  const onAbort = () => endAll('aborted', 'was stopped');
  command.signal?.addEventListener('abort', onAbort, { once: true });

  async function follow(): Promise<CommandOutcome> {
    const [exitCode, signal] = await exitOf(child);
    isOver = true;
    for (const cancel of cancels) cancel();
    command.signal?.removeEventListener('abort', onAbort);
    const swept = await cage.sweep().catch(() => 0);
    // What leaked out of the cage may hold the pipes open for ever.
    const cancelDraining = clock.after(DRAIN_MS, () => {
      for (const pipe of [...pipes, reporter]) pipe?.destroy();
    });
    await Promise.all([...pipes.map((pipe) => pipe.closed), closedOf(reporter)]);
    cancelDraining();
    for (const pipe of [info, input]) pipe?.destroy();
    for (const reader of readers) reader?.end();
    await cage.cleanUp().catch(() => {});
    const printed = output.read();
    const ending = judgeEnding({ forced, report, exitCode, signal, swept, outputHead: printed.head });
    return { ...ending, ...printed, durationMs: durationMs() };
  }
  const exited = follow();

  async function stop(graceMs: number): Promise<void> {
    if (!isOver) {
      cage.signalAll('SIGTERM', child);
      const detail = `did not end within ${graceMs / 1_000} s of SIGTERM and was ended`;
      cancels.push(clock.after(graceMs, () => endAll('aborted', detail)));
    }
    await exited;
  }

  await Promise.race([begun, exited]);
  return { pid: child.pid ?? 0, marker, exited, stop };
}

/** In a group of its own, without standard input, with only the descriptors it is meant to have. */
function spawnInCage(cage: Cage, pipes: readonly OutputPipe[]): Promise<ChildProcess> {
  return new Promise((resolve, reject) => {
    const outputs = pipes.map((pipe) => pipe.childDescriptor);
    const child = spawn(cage.file, cage.args, {
      cwd: cage.cwd,
      env: cage.env as NodeJS.ProcessEnv,
      detached: true,
      stdio: ['ignore', ...outputs, 'pipe', 'pipe', 'pipe', ...coverInherited(6)],
    });
    child.once('spawn', () => resolve(child));
    child.once('error', reject);
  });
}

function exitOf(child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> {
  return new Promise((resolve) => {
    child.on('error', () => {});
    child.once('exit', (code, signal) => resolve([code, signal]));
  });
}

/** Hands on all that came so far with each piece, up to a bound; the rest is read and dropped. */
function collectText(pipe: Duplex | null | undefined, onText: (text: string) => void): void {
  let text = '';
  pipe?.on('error', () => {});
  pipe?.on('data', (chunk: Buffer) => {
    if (text.length >= MAX_REPORT_BYTES) return;
    text += chunk.toString('latin1');
    onText(text);
  });
}

function closedOf(pipe: Duplex | null | undefined): Promise<void> {
  if (!pipe || pipe.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    pipe.once('close', resolve);
    // The peer has gone with the process; this side is ours to close once it has been read.
    pipe.once('end', () => pipe.destroy());
  });
}
