import type { ReleaseUsage } from '@dbox/contracts';
import type { Engine } from '../../engine/engine.ts';
import type { Stats } from '../../engine/engine-answers.ts';
import { LABELS } from '../../engine/names.ts';
import type { TargetObserver } from '../target.ts';

const ACTIONS = ['oom', 'die', 'kill'] as const;
const PAUSE_MS = 1_000;

/** What the engine tells of releases: what they use, and what befell them. */
export function createEngineObserver(o: { readonly engine: Engine }): TargetObserver & {
  /** This agent ends it itself: nothing to tell. */
  expectEnd(name: string): void;
} {
  const { engine } = o;
  const before = new Map<string, Stats>();
  const expected = new Set<string>();

  async function measureOne(
    id: string,
    releaseId: string,
    signal: AbortSignal,
  ): Promise<ReleaseUsage | null> {
    const now = await engine.stats(id, signal).catch(() => null);
    const former = before.get(id);
    if (now === null) return null;
    before.set(id, now);
    return usageOf(releaseId, former ?? null, now);
  }

  return {
    async measure(signal) {
      const found = await engine.listContainers();
      const running = found.filter(({ State, Labels }) => State === 'running' && Labels[LABELS.release]);
      const ids = new Set(running.map(({ Id }) => Id));
      for (const id of before.keys()) if (!ids.has(id)) before.delete(id);
      const measured = await Promise.all(
        running.map(({ Id, Labels }) => measureOne(Id, Labels[LABELS.release]!, signal)),
      );
      return sumByRelease(measured.filter((usage) => usage !== null));
    },

    expectEnd(name) {
      expected.add(name);
    },

    async follow({ signal, clock, onEvent }) {
      let since = String(clock.now() / 1000);
      while (!signal.aborted) {
        await engine
          .followEvents({ since, actions: ACTIONS, signal }, ({ Action, Actor, timeNano }) => {
            // The engine takes the instant itself again.
            const at = (timeNano / 1e9).toFixed(6);
            if (Number(at) < Number(since)) return;
            since = (timeNano / 1e9 + 1e-6).toFixed(6);
            const {
              name = '',
              exitCode = '',
              signal: sent = '',
              [LABELS.release]: releaseId,
            } = Actor.Attributes;
            if (releaseId === undefined) return;
            if (expected.has(name)) {
              if (Action === 'die') expected.delete(name);
              return;
            }
            const detail =
              Action === 'die' ? `exit ${exitCode}` : Action === 'kill' ? `signal ${sent}` : 'out of memory';
            onEvent({ releaseId, action: Action, detail });
          })
          .catch(() => undefined);
        await clock.sleep(PAUSE_MS, signal);
      }
    },
  };
}

/** `former` null: how busy it is cannot be said yet. */
export function usageOf(releaseId: string, former: Stats | null, now: Stats): ReleaseUsage {
  const cpuNs = now.cpu_stats.cpu_usage.total_usage - (former?.cpu_stats.cpu_usage.total_usage ?? Number.NaN);
  const systemNs = (now.cpu_stats.system_cpu_usage ?? 0) - (former?.cpu_stats.system_cpu_usage ?? 0);
  const cores = now.cpu_stats.online_cpus ?? 1;
  const cpuPercent = cpuNs >= 0 && systemNs > 0 ? (cpuNs / systemNs) * cores * 100 : 0;
  const { usage, limit, stats } = now.memory_stats;
  // What the kernel keeps of files it would give back at once: cgroup v1 and v2 spell it differently.
  const cacheBytes = stats?.total_inactive_file ?? stats?.inactive_file ?? 0;
  return {
    releaseId,
    cpuPercent: Math.round(cpuPercent * 10) / 10,
    memoryBytes: Math.max(0, (usage ?? 0) - cacheBytes),
    memoryLimitBytes: limit ?? null,
    processes: now.pids_stats.current ?? 0,
  };
}

/** A release of several containers is one. */
function sumByRelease(usages: readonly ReleaseUsage[]): readonly ReleaseUsage[] {
  const sums = new Map<string, ReleaseUsage>();
  for (const usage of usages) {
    const former = sums.get(usage.releaseId);
    sums.set(
      usage.releaseId,
      former === undefined
        ? usage
        : {
            releaseId: usage.releaseId,
            cpuPercent: former.cpuPercent + usage.cpuPercent,
            memoryBytes: former.memoryBytes + usage.memoryBytes,
            memoryLimitBytes:
              former.memoryLimitBytes === null || usage.memoryLimitBytes === null
                ? null
                : former.memoryLimitBytes + usage.memoryLimitBytes,
            processes: former.processes + usage.processes,
          },
    );
  }
  return [...sums.values()];
}
