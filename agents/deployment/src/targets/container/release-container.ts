import { setTimeout as sleep } from 'node:timers/promises';
import type { Target } from '@dbox/contracts';
import type { Engine } from '../../engine/engine.ts';
import type { ContainerDetail } from '../../engine/engine-answers.ts';
import { hasCode } from '../../engine/engine-error.ts';
import type { LineSink, ReleaseExit, RunningRelease } from '../target.ts';

/** An engine that is restarting is away for seconds. */
const ENGINE_AWAY_PAUSE_MS = 500;
/** What the engine still has of the log of a container that has ended comes within milliseconds. */
const LAST_LINES_MS = 1_000;

export interface FollowedContainer {
  readonly engine: Engine;
  readonly name: string;
  readonly target: Target;
  readonly memoryMb: number;
  readonly whySilent: string | null;
  /** The instant of the last line that is known already; null: from the beginning. */
  readonly since: string | null;
  readonly onLine: LineSink;
  /** Told when this agent stops it itself. */
  readonly onStop?: () => void;
}

/** A started container as a release: hears its log and its end, through restarts of the engine. */
export function followContainer(o: FollowedContainer): RunningRelease {
  const { engine, name } = o;
  const ended = new AbortController();
  const logged = followLog();

  const exited = (async (): Promise<ReleaseExit> => {
    await untilEnded();
    const patience = new AbortController();
    await Promise.race([
      logged,
      sleep(LAST_LINES_MS, undefined, { signal: patience.signal }).catch(() => undefined),
    ]);
    patience.abort();
    ended.abort();
    const found = await engine.inspectContainer(name).catch(() => null);
    return exitOf(found, o.memoryMb);
  })();

  /** Returns when the engine says that it does not run, however often the engine itself goes away. */
  async function untilEnded(): Promise<void> {
    for (;;) {
      try {
        await engine.waitForExit(name, ended.signal);
        const found = await engine.inspectContainer(name);
        if (found === null || !found.State.Running) return;
      } catch (error) {
        if (hasCode(error, 'not_found')) return;
      }
      await sleep(ENGINE_AWAY_PAUSE_MS);
    }
  }

  async function followLog(): Promise<void> {
    let last = o.since;
    while (!ended.signal.aborted) {
      const since = last;
      try {
        await engine.followLogs(
          name,
          since === null ? null : unixTime(since),
          ended.signal,
          (stream, line, at) => {
            // The engine counts the instant itself in.
            if (since !== null && at <= since) return;
            last = at;
            o.onLine(stream, line, at);
          },
        );
        // The whole log was read to its end, unless the engine has gone away below it.
        const found = await engine.inspectContainer(name);
        if (found === null || !found.State.Running) return;
      } catch (error) {
        if (ended.signal.aborted || hasCode(error, 'not_found')) return;
      }
      await sleep(ENGINE_AWAY_PAUSE_MS);
    }
  }

  return {
    target: o.target,
    pid: null,
    whySilent: o.whySilent,
    exited,
    async stop(graceMs) {
      o.onStop?.();
      await engine.stopContainer(name, graceMs);
      await exited;
    },
  };
}

/** One that could not even begin, by its own doing. */
export function neverBegan(target: Target, detail: string): RunningRelease {
  const exit: ReleaseExit = { exitCode: 127, signal: null, cause: 'commit', detail };
  return { target, pid: null, exited: Promise.resolve(exit), stop: async () => undefined };
}

const SIGNALS: Readonly<Record<number, string>> = {
  6: 'SIGABRT',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  15: 'SIGTERM',
};

function exitOf(found: ContainerDetail | null, memoryMb: number): ReleaseExit {
  if (found === null) {
    return { exitCode: null, signal: null, cause: 'host', detail: 'its container is gone' };
  }
  const { ExitCode: exitCode, OOMKilled, Error: error } = found.State;
  if (OOMKilled) {
    const detail = `it needed more than its ${memoryMb} MB of memory`;
    return { exitCode, signal: 'SIGKILL', cause: 'commit', detail };
  }
  if (error !== '') return { exitCode, signal: null, cause: 'host', detail: error.slice(0, 500) };
  const signal = exitCode > 128 ? (SIGNALS[exitCode - 128] ?? null) : null;
  return {
    exitCode,
    signal,
    cause: 'commit',
    detail: signal === null ? `exit ${exitCode}` : `killed by ${signal}`,
  };
}

/** `2026-01-02T03:04:05.000000006Z` as `1767323045.000000006`, which is how the engine takes an instant. */
function unixTime(at: string): string {
  const fraction = /\.(\d{1,9})/.exec(at)?.[1] ?? '0';
  return `${Math.floor(Date.parse(at) / 1000)}.${fraction.padEnd(9, '0')}`;
}
