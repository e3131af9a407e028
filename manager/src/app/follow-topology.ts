import type { DesiredRelease, Topology, Watch } from '@dbox/contracts';
import type { EnvironmentRecord, ReleaseRecord } from '../ports/records.ts';
import type { StoreReader } from '../ports/store.ts';
import type { AppContext } from './context.ts';
import { earlierReleases } from './roll-back.ts';

/** The releases that are kept for a rollback, besides the live one. */
export const KEPT_RELEASES = 5;

/**
 * The topology once its revision is newer than `after`, or null when the time is up. It is built
 * once a revision, however many follow it.
 */
export class TopologyDesk {
  private readonly context: AppContext;
  private built: Promise<Topology> | null = null;
  /** The newest revision that was committed: one that comes while a follower still reads is not missed. */
  private newest = 0;
  private readonly waiting = new Set<() => void>();
  readonly stop: () => void;

  constructor(context: AppContext) {
    this.context = context;
    this.stop = context.store.onCommit((notice) => {
      if (notice.topologyRevision === null) return;
      this.newest = Math.max(this.newest, notice.topologyRevision);
      this.built = null;
      for (const wake of [...this.waiting]) wake();
    });
  }

  async follow(after: number, waitMs: number, signal: AbortSignal): Promise<Topology | null> {
    const deadlineMs = this.context.clock.nowMs() + waitMs;
    for (;;) {
      const topology = await this.current();
      if (topology.revision > after) return topology;
      if (this.newest > topology.revision && !signal.aborted) continue;
      if (!(await this.wait(deadlineMs - this.context.clock.nowMs(), signal))) return null;
    }
  }

  private current(): Promise<Topology> {
    this.built ??= buildTopology(this.context);
    const built = this.built;
    // A failed read must not be kept.
    built.catch(() => {
      if (this.built === built) this.built = null;
    });
    return built;
  }

  private wait(timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    if (timeoutMs <= 0 || signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const finish = (woken: boolean) => {
        this.waiting.delete(wake);
        cancel();
        signal.removeEventListener('abort', onAbort);
        resolve(woken);
      };
      const wake = () => finish(true);
      const onAbort = () => finish(false);
      const cancel = this.context.clock.after(timeoutMs, () => finish(false));
      signal.addEventListener('abort', onAbort, { once: true });
      this.waiting.add(wake);
    });
  }
}

async function buildTopology(context: AppContext): Promise<Topology> {
  return context.store.read(async (reader) => {
    const topology: Topology = {
      revision: await reader.topology.revision(),
      routes: [],
      releases: [],
      watches: [],
    };
    const projects = new Set((await reader.projects.list()).map((one) => one.name));
    for (const environment of await reader.environments.list()) {
      if (!projects.has(environment.project)) continue;
      const routed = environment.routedReleaseId
        ? await reader.releases.get(environment.routedReleaseId)
        : null;
      topology.routes.push({
        project: environment.project,
        environment: environment.name,
        port: environment.port,
        releaseId: routed?.id ?? null,
        target: routed?.target ?? null,
      });
      topology.releases.push(...(await desiredReleases(context, reader, environment)));
      const watch = await watchOf(context, reader, environment);
      if (watch) topology.watches.push(watch);
    }
    return topology;
  });
}

async function desiredReleases(
  context: AppContext,
  reader: StoreReader,
  environment: EnvironmentRecord,
): Promise<DesiredRelease[]> {
  const all = await reader.releases.listOfEnvironment({
    project: environment.project,
    environment: environment.name,
  });
  const states = new Map<string, DesiredRelease['state']>();
  const live = all.find((release) => release.id === environment.liveReleaseId);
  if (live) {
    const earlier = await earlierReleases(reader, live);
    for (const [index, release] of earlier.entries()) {
      const isWarm =
        release.status === 'superseded' &&
        (index === 0 || hasVisitors(context, release, index < KEPT_RELEASES));
      if (isWarm || index < KEPT_RELEASES) states.set(release.id, isWarm ? 'warm' : 'kept');
    }
  }
  // The tree and the logs of the last refused release stay for whoever repairs it.
  const refused = all.find((release) => release.status === 'refused');
  if (refused) states.set(refused.id, 'kept');
  for (const release of all) {
    if (['queued', 'building', 'starting', 'smoking'].includes(release.status))
      states.set(release.id, 'warm');
    if (release.status === 'baking' || release.status === 'live') states.set(release.id, 'live');
  }
  return all
    .filter((release) => states.has(release.id))
    .map((release) => desired(release, states.get(release.id)!));
}

/**
 * A release that has lost the traffic runs on while visitors still have requests or WebSockets on it;
 * the deployment agent ends that after its own while. Not one that was rolled back: it is kept stopped.
 */
function hasVisitors({ observations }: AppContext, release: ReleaseRecord, isKept: boolean): boolean {
  const open = observations.traffic.get(release.id)?.openCount;
  if (open !== undefined) return open > 0;
  // Not known yet after a restart; where it has ended long ago, this starts nothing.
  return isKept && !observations.warm.has(release.id);
}

function desired(release: ReleaseRecord, state: DesiredRelease['state']): DesiredRelease {
  return {
    releaseId: release.id,
    project: release.project,
    environment: release.environment,
    commit: release.commit,
    runPlan: release.runPlan,
    settingsVersion: release.settingsVersion,
    image: release.image,
    trusted: release.trusted,
    state,
    generation: release.generation,
  };
}

async function watchOf(
  context: AppContext,
  reader: StoreReader,
  environment: EnvironmentRecord,
): Promise<Watch | null> {
  if (environment.liveReleaseId === null) return null;
  const checks = (await reader.checks.listOfProject(environment.project)).filter(
    (check) => check.status === 'live' && check.criterion.kind !== 'command',
  );
  return {
    project: environment.project,
    environment: environment.name,
    releaseId: environment.liveReleaseId,
    port: environment.port,
    checks: checks.map(({ version: _, ...check }) => check),
    intervalMs: context.settings.watchIntervalMs,
  };
}
