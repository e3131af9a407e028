import type {
  AgentKind,
  IncidentStatus,
  JobKind,
  OperationName,
  ReleaseStatus,
  ReleaseUsage,
  StoryStatus,
  TaskStatus,
} from '@dbox/contracts';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Answered } from './server.ts';

/** What the manager is at this moment, asked for at each scrape. What is left out shows no series. */
export interface MetricsSnapshot {
  readonly version?: string;
  readonly jobs?: readonly {
    readonly kind: JobKind;
    readonly status: 'queued' | 'leased';
    readonly count: number;
  }[];
  readonly stories?: { readonly [S in StoryStatus]?: number };
  readonly tasks?: { readonly [S in TaskStatus]?: number };
  readonly incidents?: { readonly [S in IncidentStatus]?: number };
  readonly releases?: readonly {
    readonly project: string;
    readonly environment: string;
    readonly status: ReleaseStatus;
    readonly count: number;
  }[];
  /** The newest round of checks of each watched environment. */
  readonly probes?: readonly {
    readonly project: string;
    readonly environment: string;
    readonly releaseId: string;
    readonly ok: boolean;
    /** Null where nothing was timed. */
    readonly durationMs: number | null;
  }[];
  readonly agents?: readonly {
    readonly kind: AgentKind;
    readonly state: 'online' | 'lost';
    readonly count: number;
  }[];
  /** The ledger's newest sequence number. */
  readonly eventCount?: number;
  /** Since the gateway started; `statuses` as in `TrafficStats`. */
  readonly traffic?: readonly {
    readonly project: string;
    readonly environment: string;
    readonly releaseId: string;
    readonly statuses: Readonly<Record<string, number>>;
  }[];
  /** What running releases use now, where their target tells. */
  readonly usage?: readonly (ReleaseUsage & { readonly project: string; readonly environment: string })[];
  /** 0 to 1. */
  readonly freeSpace?: number;
}

export interface Metrics {
  /** For `HttpServerOptions.onAnswer`. */
  readonly observeAnswer: (answer: Answered) => void;
  /** One durable commit of the store and how many transactions shared it. */
  readonly observeCommit: (commit: { readonly transactions: number; readonly durationMs: number }) => void;
  /** The text for `/metrics`. Scrapes at the same time share one collection. Rejects where `collect` does. */
  readonly render: () => Promise<string>;
}

/** Long polls wait up to 30 s by intent. */
const REQUEST_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30];
const COMMIT_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5];
const COMMIT_TRANSACTIONS = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/**
 * The box's Prometheus metrics. All is pulled: an idle box pays nothing. (prom-client's own default
 * metrics would sample the event loop a hundred times a second.)
 */
export function createMetrics(options: {
  readonly collect: () => MetricsSnapshot | Promise<MetricsSnapshot>;
}): Metrics {
  const registry = new Registry();
  const requests = new Counter({
    name: 'dbox_http_requests_total',
    help: 'Requests answered.',
    labelNames: ['operation', 'status'],
    registers: [registry],
  });
  const durations = new Histogram({
    name: 'dbox_http_request_duration_seconds',
    help: 'Time to the end of the answer; long polls and streams include their waiting.',
    labelNames: ['operation'],
    buckets: REQUEST_SECONDS,
    registers: [registry],
  });
  const commitTransactions = new Histogram({
    name: 'dbox_store_commit_transactions',
    help: 'Transactions that shared one durable commit.',
    buckets: COMMIT_TRANSACTIONS,
    registers: [registry],
  });
  const commitDurations = new Histogram({
    name: 'dbox_store_commit_duration_seconds',
    help: 'Duration of a durable commit.',
    buckets: COMMIT_SECONDS,
    registers: [registry],
  });
  const show = createSnapshotGauges(registry);

  // Looking up a label set costs more than counting does; there are few sets.
  const children = new Map<string, { count(): void; time(seconds: number): void }>();
  function childOf(operation: OperationName | 'unknown', status: number) {
    const key = `${operation} ${status}`;
    let child = children.get(key);
    if (child === undefined) {
      const counter = requests.labels({ operation, status: String(status) });
      const histogram = durations.labels({ operation });
      child = { count: () => counter.inc(), time: (seconds) => histogram.observe(seconds) };
      children.set(key, child);
    }
    return child;
  }

  async function renderOnce(): Promise<string> {
    show(await options.collect());
    return registry.metrics();
  }

  let rendering: Promise<string> | null = null;
  return {
    observeAnswer({ operation, status, durationMs }) {
      const child = childOf(operation, status);
      child.count();
      child.time(durationMs / 1000);
    },
    observeCommit({ transactions, durationMs }) {
      // Somebody else's commit, taken up after the fact.
      if (transactions === 0) return;
      commitTransactions.observe(transactions);
      commitDurations.observe(durationMs / 1000);
    },
    render() {
      rendering ??= renderOnce().finally(() => {
        rendering = null;
      });
      return rendering;
    },
  };
}

/** Each series is dropped and written anew, so that what no longer exists is not shown for ever. */
function createSnapshotGauges(registry: Registry): (snapshot: MetricsSnapshot) => void {
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge<L>({ name, help, labelNames: [...labelNames], registers: [registry] });
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter<L>({ name, help, labelNames: [...labelNames], registers: [registry] });

  const info = gauge('dbox_build_info', 'Always 1.', ['version']);
  const jobs = gauge('dbox_jobs', 'Jobs that wait or are worked on.', ['kind', 'status']);
  const stories = gauge('dbox_stories', 'Stories by status.', ['status']);
  const tasks = gauge('dbox_tasks', 'Tasks by status.', ['status']);
  const incidents = gauge('dbox_incidents', 'Incidents by status.', ['status']);
  const releases = gauge('dbox_releases', 'Releases by status.', ['project', 'environment', 'status']);
  const release = ['project', 'environment', 'release'] as const;
  const probeSuccess = gauge('probe_success', '1 where the newest round of checks passed.', release);
  const probeDuration = gauge('probe_duration_seconds', 'Duration of the newest probe.', release);
  const agents = gauge('dbox_agents', 'Agents by kind and state.', ['kind', 'state']);
  const events = counter('dbox_events_total', 'Events in the ledger.');
  const traffic = counter('dbox_gateway_requests_total', 'Requests that releases answered.', [
    ...release,
    'status',
  ]);
  const releaseCpu = gauge(
    'dbox_release_cpu_percent',
    'Processor use of a release; 100 is one core.',
    release,
  );
  const releaseMemory = gauge('dbox_release_memory_bytes', 'Memory that a release uses.', release);
  const releaseMemoryLimit = gauge(
    'dbox_release_memory_limit_bytes',
    'Most that a release may use.',
    release,
  );
  const releaseProcesses = gauge('dbox_release_processes', 'Processes of a release.', release);
  const usages = [releaseCpu, releaseMemory, releaseMemoryLimit, releaseProcesses];
  const freeSpace = gauge('dbox_disk_free_ratio', 'Free share of the file system of the workspace.');
  const cpu = counter('process_cpu_seconds_total', 'Processor time of the process.');
  const memory = gauge('process_resident_memory_bytes', 'Memory of the process.');
  const heap = gauge('nodejs_heap_size_used_bytes', 'JavaScript heap in use.');
  const startedAt = gauge('process_start_time_seconds', 'Start of the process since the epoch.');
  const all = [info, jobs, stories, tasks, incidents, releases, probeSuccess, probeDuration, agents];

  return (snapshot) => {
    for (const metric of [...all, ...usages, events, traffic, cpu, freeSpace]) metric.reset();
    if (snapshot.version !== undefined) info.set({ version: snapshot.version }, 1);
    for (const { kind, status, count } of snapshot.jobs ?? []) jobs.set({ kind, status }, count);
    setByStatus(stories, snapshot.stories);
    setByStatus(tasks, snapshot.tasks);
    setByStatus(incidents, snapshot.incidents);
    for (const { project, environment, status, count } of snapshot.releases ?? []) {
      releases.set({ project, environment, status }, count);
    }
    for (const { project, environment, releaseId, ok, durationMs } of snapshot.probes ?? []) {
      const labels = { project, environment, release: releaseId };
      probeSuccess.set(labels, ok ? 1 : 0);
      if (durationMs !== null) probeDuration.set(labels, durationMs / 1000);
    }
    for (const { kind, state, count } of snapshot.agents ?? []) agents.set({ kind, state }, count);
    events.inc(snapshot.eventCount ?? 0);
    for (const { project, environment, releaseId, statuses } of snapshot.traffic ?? []) {
      for (const [status, count] of Object.entries(statuses)) {
        traffic.inc({ project, environment, release: releaseId, status }, count);
      }
    }
    for (const { project, environment, releaseId, ...usage } of snapshot.usage ?? []) {
      const labels = { project, environment, release: releaseId };
      releaseCpu.set(labels, usage.cpuPercent);
      releaseMemory.set(labels, usage.memoryBytes);
      if (usage.memoryLimitBytes !== null) releaseMemoryLimit.set(labels, usage.memoryLimitBytes);
      releaseProcesses.set(labels, usage.processes);
    }
    if (snapshot.freeSpace !== undefined) freeSpace.set(snapshot.freeSpace);
    const { user, system } = process.cpuUsage();
    cpu.inc((user + system) / 1_000_000);
    memory.set(process.memoryUsage.rss());
    heap.set(process.memoryUsage().heapUsed);
    startedAt.set(performance.timeOrigin / 1000);
  };
}

function setByStatus(
  gauge: Gauge<'status'>,
  counts: { readonly [status: string]: number | undefined } | undefined,
): void {
  for (const [status, count] of Object.entries(counts ?? {})) gauge.set({ status }, count ?? 0);
}
