import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobResult, Lease, SubmitStory, TestResult } from '@dbox/contracts';
import { KINDS_OF_AGENT } from '@dbox/contracts';
import { createSettingVault } from '../../adapters/setting-vault-aes.ts';
import { openSqliteStore } from '../../adapters/store-sql/index.ts';
import { moveWork } from '../../loops/work-loop.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Store } from '../../ports/store.ts';
import { ackTopology } from '../ack-topology.ts';
import { completeJob } from '../complete-job.ts';
import type { AppContext } from '../context.ts';
import { LeaseDesk } from '../lease-desk.ts';
import { leaseJob } from '../lease-job.ts';
import { Observations } from '../observations.ts';
import { reportWatch } from '../report-watch.ts';
import { submitStory } from '../submit-story.ts';
import { MemoryRepositories } from './memory-repositories.ts';

const GREEN: TestResult = {
  run: 'npm test',
  outcome: 'passed',
  exitCode: 0,
  detail: '3 passed',
  cause: null,
  counts: { runner: 'tap', passed: 3, failed: 0, skipped: 0 },
  durationMs: 1,
  outputHead: '',
  outputTail: '',
  outputCutBytes: 0,
};

/**
 * The use cases over a real store, with git in memory, a clock that stands, and the agents played
 * by the test: `step` does one job the way the test says.
 */
export class World {
  readonly repositories = new MemoryRepositories();
  context: AppContext;
  /** What the use cases logged as errors. */
  readonly errors: string[] = [];
  nowMs = Date.parse('2026-01-01T00:00:00Z');
  private readonly directory: string;
  desk: LeaseDesk;
  private submissions = 0;

  static async open(): Promise<World> {
    const directory = await mkdtemp(join(tmpdir(), 'dbox-world-'));
    const holder: { world?: World } = {};
    const clock: Clock = { nowMs: () => holder.world?.nowMs ?? 0, after: () => () => {} };
    const store = await openSqliteStore({ path: join(directory, 'task.db'), clock, headFile: null });
    const world = new World(directory, store, clock);
    holder.world = world;
    return world;
  }

  private constructor(directory: string, store: Store, clock: Clock) {
    this.directory = directory;
    let ids = 0;
    this.context = {
      store,
      repositories: this.repositories,
      artifacts: null as never,
      logs: { append: async () => {}, read: async () => ({ lines: [], next: '' }), remove: async () => {} },
      files: {
        writeSpec: async () => {},
        saveAttachments: async () => {},
        readAttachment: async () => null,
        removeAttachments: async () => {},
        // A "bundle" of the memory repositories is a commit's hash.
        withIncoming: async (body, use) => use(String(await body.toArray())),
        clearIncoming: async () => {},
        freeSpace: async () => 0.5,
      },
      planner: { plan: async () => [], templates: async () => ['simple-static'], nameOf: () => 'site' },
      vault: createSettingVault(Buffer.alloc(32, 7)),
      clock,
      ids: { next: (prefix) => `${prefix}_${String(++ids).padStart(10, '0')}` },
      settings: {
        version: '0',
        workspace: directory,
        firstGatewayPort: 8080,
        gatewayPortCount: null,
        gatewayHost: '127.0.0.1',
        siteOrigin: 'http://127.0.0.1',
        watchIntervalMs: 10_000,
        leaseDurationMs: 14_000,
        minFreeSpace: 0.05,
        containers: false,
      },
      observations: new Observations(),
      signJobToken: ({ jobId, fence }) => `${jobId}.${fence}`,
      log: (level, message, data) => {
        if (level === 'error') this.errors.push(`${message} ${JSON.stringify(data)}`);
      },
    };
    this.desk = new LeaseDesk(store, clock);
  }

  /** As after a kill: what is stored is there, what was only observed is forgotten. */
  async reopen(): Promise<void> {
    this.desk.stop();
    await this.context.store.close();
    const { clock } = this.context;
    const store = await openSqliteStore({ path: join(this.directory, 'task.db'), clock, headFile: null });
    this.context = { ...this.context, store, observations: new Observations() };
    this.desk = new LeaseDesk(store, clock);
    await this.move();
  }

  async close(): Promise<void> {
    this.desk.stop();
    await this.context.store.close();
    await rm(this.directory, { recursive: true });
  }

  /** Submits task specs and returns the story's id. */
  async submit(yaml: string, more: Partial<SubmitStory> = {}): Promise<string> {
    const attachments = [...yaml.matchAll(/- (a\d+)$/gm)].map((match) => ({
      attempt: match[1]!,
      kind: 'directory' as const,
      files: [],
    }));
    const story = { documents: [{ file: 'spec.yaml', yaml, attachments }], ...more };
    const { story: made } = await submitStory(this.context, {
      story,
      idempotencyKey: undefined,
      bodyHash: createHash('sha256')
        .update(String(++this.submissions))
        .digest('hex'),
      actor: 'operator',
    });
    await this.move();
    return made.id;
  }

  /** A story in words, as it is received; the planner has not looked at it yet. */
  async tell(text: string, project?: string) {
    const { story } = await submitStory(this.context, {
      story: project === undefined ? { text } : { text, project },
      idempotencyKey: undefined,
      bodyHash: '',
      actor: 'operator',
    });
    return story;
  }

  async move(): Promise<void> {
    await moveWork(this.context);
  }

  async lease(kind: keyof typeof KINDS_OF_AGENT): Promise<Lease | null> {
    return leaseJob(this.context, this.desk, {
      agentKind: kind,
      agentId: `agt_${kind}`,
      kinds: KINDS_OF_AGENT[kind],
      waitMs: 0,
      signal: new AbortController().signal,
    });
  }

  async finish(lease: Lease, result: JobResult): Promise<void> {
    await completeJob(this.context, { jobId: lease.job.id, fence: lease.lease.fence }, result);
    await this.move();
  }

  /** Writes these files on top of what the code job starts from. Returns the commit. */
  async code(files: Readonly<Record<string, string>>, lease?: Lease): Promise<string> {
    const held = lease ?? (await this.lease('coding'));
    if (held?.payload.kind !== 'code') throw new Error('no code job is queued');
    const start = held.payload.startCommit!;
    const commit = this.repositories.commit({ ...this.repositories.filesOf(start), ...files }, [start]);
    await this.context.store.transact(async (tx) => {
      const job = (await tx.jobs.get(held.job.id))!;
      await tx.jobs.save({ ...job, confirmedCommit: commit });
    });
    await this.finish(held, {
      kind: 'code',
      outcome: 'succeeded',
      engine: held.payload.engine,
      commit,
      summary: 'done',
    });
    return commit;
  }

  testResult(given: Partial<TestResult>): TestResult {
    return { ...GREEN, ...given };
  }

  async test(given: Partial<TestResult> = {}): Promise<void> {
    const lease = await this.lease('testing');
    if (lease?.payload.kind !== 'test') throw new Error('no test job is queued');
    const checks = lease.payload.checks.map(({ id }) => ({
      id,
      outcome: 'passed' as const,
      detail: 'exit 0',
      latencyMs: null,
    }));
    const tests = lease.payload.tests.map(({ run }) => ({ ...GREEN, run, ...given }));
    await this.finish(lease, { kind: 'test', outcome: 'succeeded', tests, checks, changedTestFiles: [] });
  }

  /** Deploys and, where it is offered, lets the gateway acknowledge. */
  async deploy(outcome: 'ready' | 'smoke fails' | 'host fails' = 'ready'): Promise<void> {
    const lease = await this.lease('deployment');
    if (lease?.payload.kind !== 'deploy') throw new Error('no deploy job is queued');
    const checks = lease.payload.checks.map(({ id }) => ({
      id,
      outcome: outcome === 'smoke fails' ? ('failed' as const) : ('passed' as const),
      detail: outcome,
      latencyMs: 1,
    }));
    if (outcome === 'ready') {
      const target = { kind: 'tcp' as const, host: '127.0.0.1', port: 5000 };
      await this.finish(lease, { kind: 'deploy', outcome: 'succeeded', target, image: null, checks });
      await this.ack();
    } else {
      await this.finish(lease, {
        kind: 'deploy',
        outcome: 'failed',
        cause: outcome === 'host fails' ? 'host' : 'commit',
        phase: 'smoking',
        detail: outcome,
        checks: outcome === 'host fails' ? [] : checks,
        outputTail: '',
      });
    }
  }

  async ack(): Promise<void> {
    const revision = await this.context.store.read((reader) => reader.topology.revision());
    await ackTopology(this.context, { revision, listeners: [] });
    await this.move();
  }

  /** One round of the live release's checks. */
  async watch(project: string, ok: boolean): Promise<void> {
    const environment = await this.context.store.read((reader) =>
      reader.environments.get({ project, name: 'dev' }),
    );
    const releaseId = environment!.liveReleaseId!;
    const detail = ok ? '200' : '500';
    await reportWatch(this.context, { releaseId, results: [{ id: 'reachable', ok, detail, latencyMs: 1 }] });
    await this.move();
  }

  async task(id: string) {
    const task = await this.context.store.read((reader) => reader.tasks.get(id));
    if (!task) throw new Error(`no task ${id}`);
    return task;
  }
  async story(id: string) {
    return (await this.context.store.read((reader) => reader.stories.get(id)))!;
  }
  async project(name: string) {
    return (await this.context.store.read((reader) => reader.projects.get(name)))!;
  }
  async releases(project: string) {
    return this.context.store.read((reader) => reader.releases.list({ project, limit: 100 }));
  }
  async environment(project: string, name = 'dev') {
    return (await this.context.store.read((reader) => reader.environments.get({ project, name })))!;
  }
  async live(project: string) {
    const { liveReleaseId } = await this.environment(project);
    return (await this.context.store.read((reader) => reader.releases.get(liveReleaseId!)))!;
  }
  async events(type: string) {
    const events = await this.context.store.read((reader) => reader.events.list({ after: 0, limit: 5000 }));
    return events.filter((event) => event.type === type);
  }
  async eventTypes(): Promise<string[]> {
    const events = await this.context.store.read((reader) => reader.events.list({ after: 0, limit: 5000 }));
    return events.map((event) => event.type);
  }
}
