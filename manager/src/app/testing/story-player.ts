import type { JobResult, Lease } from '@dbox/contracts';
import { ProblemError } from '@dbox/contracts';
import { IllegalTransitionError } from '../../domain/lifecycles.ts';
import { ackTopology } from '../ack-topology.ts';
import { cancelStory, cancelTask } from '../cancel-task.ts';
import { endOverdueJobs } from '../end-overdue-jobs.ts';
import { heartbeatJob } from '../heartbeat-job.ts';
import { removeProject } from '../remove-project.ts';
import { removeSetting } from '../remove-setting.ts';
import { reportTraffic } from '../report-traffic.ts';
import { rescueExpiredLeases } from '../rescue-expired-leases.ts';
import { retryStory, retryTask } from '../retry-task.ts';
import { rollBack } from '../roll-back.ts';
import { setSetting } from '../set-setting.ts';
import type { World } from './world.ts';

/** What may happen, and how often beside the rest: mostly work, or no story would ever come far. */
export const OFTEN = {
  submit: 4,
  work: 24,
  lease: 4,
  finish: 5,
  repeat: 1,
  expire: 3,
  hang: 1,
  'cancel task': 1,
  'cancel story': 1,
  'retry task': 2,
  'retry story': 2,
  'roll back': 4,
  'set setting': 4,
  'unset setting': 1,
  watch: 4,
  'visitors fail': 4,
  ack: 2,
  'late ack': 1,
  reopen: 1,
  'remove project': 1,
  calm: 3,
} as const;

/** One thing that somebody does; the numbers choose what and how. */
export interface Command {
  readonly what: keyof typeof OFTEN;
  readonly which: number;
  readonly how: number;
}

const AGENTS = ['coding', 'testing', 'deployment'] as const;
const KEYS = ['A', 'B'] as const;
const PROJECTS = ['p', 'p', 'p', 'q'] as const;
const SITE = { 'index.html': 'hello', 'dbox.yaml': 'static: .\n' };

/** Plays agents, gateway and people over a world, well or badly, with leases held side by side. */
export class StoryPlayer {
  private readonly world: World;
  private readonly held: Lease[] = [];
  private readonly sent: { readonly lease: Lease; readonly result: JobResult }[] = [];
  private readonly taskIds: string[] = [];
  private readonly storyIds: string[] = [];
  private writes = 0;

  constructor(world: World) {
    this.world = world;
  }

  async play({ what, which, how }: Command): Promise<void> {
    const { world } = this;
    const actor = 'operator';
    switch (what) {
      case 'submit':
        return this.submit(which, how);
      case 'work':
        return this.work(which, how);
      case 'lease': {
        const lease = await world.lease(pick(AGENTS, which));
        if (lease) this.held.push(lease);
        return;
      }
      case 'finish': {
        const lease = pick(this.held, which);
        return lease && this.finish(lease, how);
      }
      case 'repeat':
        return this.repeat(which);
      case 'expire':
        return this.expire(which, how);
      case 'hang':
        return this.hang();
      case 'cancel task':
        return this.ask(this.taskIds, which, (id) => cancelTask(world.context, id, actor));
      case 'cancel story':
        return this.ask(this.storyIds, which, (id) => cancelStory(world.context, id, actor));
      case 'retry task':
        return this.ask(this.taskIds, which, (id) => retryTask(world.context, id, actor));
      case 'retry story':
        return this.ask(this.storyIds, which, (id) => retryStory(world.context, id, actor));
      case 'roll back':
        return this.ask(PROJECTS, which, async (project) => {
          const releases = await world.releases(project);
          const releaseId = how % 2 === 0 ? undefined : pick(releases, how)?.id;
          await rollBack(world.context, { project, environment: 'dev', releaseId, actor, why: 'asked' });
        });
      case 'set setting':
        return this.ask(PROJECTS, which, (project) =>
          setSetting(world.context, {
            project,
            environment: 'dev',
            key: pick(KEYS, how),
            // Now and then the same again.
            value: String(how % 5),
            actor,
          }),
        );
      case 'unset setting':
        return this.ask(PROJECTS, which, (project) =>
          removeSetting(world.context, { project, environment: 'dev', key: pick(KEYS, how), actor }),
        );
      case 'remove project':
        // Seldom, for it ends so much.
        return how % 8 === 0
          ? this.ask(PROJECTS, which, (project) => removeProject(world.context, project, actor))
          : undefined;
      case 'visitors fail':
        return this.visitorsFail(pick(PROJECTS, which), how);
      case 'watch':
        return this.watch(pick(PROJECTS, which), how);
      case 'ack':
        await world.ack();
        return world.ack();
      case 'late ack':
        await ackTopology(world.context, { revision: Math.max(0, how - 4), listeners: [] });
        return world.move();
      case 'calm':
        return this.settle();
      case 'reopen':
        return world.reopen();
    }
  }

  /** Every agent does well from now on, until nothing moves. */
  async settle(): Promise<void> {
    for (let rest = 0; rest < 3; ) {
      let worked = false;
      for (const kind of AGENTS) {
        const lease = await this.world.lease(kind);
        if (!lease) continue;
        worked = true;
        await this.finish(lease, 0);
      }
      await this.world.ack();
      this.world.nowMs += 15_000;
      await rescueExpiredLeases(this.world.context);
      await this.world.move();
      rest = worked ? 0 : rest + 1;
    }
  }

  /** What the gateway tells of whatever is live, and of visitors who stay on old releases. */
  private async visitorsFail(project: string, how: number): Promise<void> {
    const releases = (await this.world.releases(project)).filter(({ liveOrder }) => liveOrder !== null);
    await reportTraffic(this.world.context, {
      startedAt: `life ${how % 2}`,
      releases: releases.map(({ id, status }) => ({
        releaseId: id,
        statuses: status === 'live' ? { '5xx': 50 } : { '2xx': 50 },
        servingForMs: 100,
        openCount: how % 3,
        latencyBuckets: [],
        latencySumMs: 0,
      })),
    });
    await this.world.move();
    if (how % 2 === 0) await this.world.ack();
  }

  /** A slow agent's job goes to the next, and then the slow one speaks up after all. */
  private async expire(which: number, how: number): Promise<void> {
    const { world } = this;
    const slow = pick(this.held, which) ?? (await world.lease(pick(AGENTS, which)));
    world.nowMs += 15_000;
    await rescueExpiredLeases(world.context);
    await world.move();
    for (const kind of AGENTS) {
      const lease = await world.lease(kind);
      if (lease) this.held.push(lease);
    }
    if (slow) await this.finish(slow, how);
  }

  private async submit(which: number, how: number): Promise<void> {
    if (this.storyIds.length >= 6) return;
    const ids = Array.from({ length: 1 + (how % 3) }, (_, n) => `t${this.taskIds.length + n}`);
    const needs = (n: number) => {
      const earlier = (how >> 2) % 2 === 1 && n > 0 ? ids[n - 1] : undefined;
      return earlier === undefined ? '' : `depends_on: [${earlier}]\n`;
    };
    const acceptance = how % 5 === 4 ? '' : 'acceptance:\n  - url: /\n';
    const documents = ids.map(
      (id, n) =>
        `id: ${id}\ntitle: ${id}\ninputs:\n  - type: scripted\n    attempts:\n      - a1\n      - a2\n      - a3\ntests:\n  - run: npm test\nconstraints: {max_attempts: 2}\n${acceptance}${needs(n)}`,
    );
    try {
      this.storyIds.push(
        await this.world.submit(documents.join('---\n'), { project: pick(PROJECTS, which) }),
      );
      this.taskIds.push(...ids);
    } catch (error) {
      // The project was removed.
      if (!(error instanceof ProblemError)) throw error;
    }
  }

  private async work(which: number, how: number): Promise<void> {
    const lease = await this.world.lease(pick(AGENTS, which));
    if (!lease) return;
    // Mostly well, or no story would ever come far.
    await this.finish(
      lease,
      how % 4 === 0 ? Math.floor(how / 4) : how % 4 === 1 && lease.payload.kind === 'code' ? 1 : 0,
    );
    if (how % 9 !== 8) await this.world.ack();
  }

  /** A lease that is gone must be refused and leave no trace. */
  private async finish(lease: Lease, how: number): Promise<void> {
    const { world } = this;
    const job = await world.context.store.read((reader) => reader.jobs.get(lease.job.id));
    const isHeld = job?.status === 'leased' && job.fence === lease.lease.fence;
    const result = await this.resultOf(lease, how, isHeld);
    const index = this.held.indexOf(lease);
    if (index >= 0) this.held.splice(index, 1);
    if (isHeld) {
      await world.finish(lease, result);
      this.sent.push({ lease, result });
      return;
    }
    await this.mustLeaveNoTrace(async () => {
      await world.finish(lease, result).then(
        () => {
          throw new Error(`a stale result of ${lease.job.id} was taken`);
        },
        (error: unknown) => {
          if (!(error instanceof ProblemError && error.code === 'lease_gone')) throw error;
        },
      );
    });
  }

  private async repeat(which: number): Promise<void> {
    const sent = pick(this.sent, which);
    if (sent) await this.mustLeaveNoTrace(() => this.world.finish(sent.lease, sent.result));
  }

  private async mustLeaveNoTrace(call: () => Promise<unknown>): Promise<void> {
    const head = () => this.world.context.store.read((reader) => reader.events.head());
    const before = await head();
    await call();
    const after = await head();
    if (before?.seq !== after?.seq) throw new Error('a call that may change nothing left an event');
  }

  private async resultOf(lease: Lease, how: number, isHeld: boolean): Promise<JobResult> {
    const { payload } = lease;
    const failed = (cause: 'commit' | 'host' | 'final') =>
      ({ outcome: 'failed', cause, detail: `${cause} ${how}` }) as const;
    const causes = ['commit', 'host', 'final'] as const;
    switch (payload.kind) {
      case 'code': {
        const { engine } = payload;
        if (how % 8 >= 5) return { kind: 'code', engine, ...failed(pick(causes, how % 8)) };
        const commit = await this.write(lease, how % 8, isHeld);
        return { kind: 'code', outcome: 'succeeded', engine, commit, summary: '' };
      }
      case 'test': {
        if (how % 7 >= 5) return { kind: 'test', ...failed(pick(causes, how % 7)) };
        const outcome =
          (['passed', 'failed', 'could_not_run', 'could_not_run'] as const)[how % 7] ?? 'passed';
        const cause = outcome === 'could_not_run' ? (how % 7 === 2 ? 'commit' : 'host') : null;
        const tests = payload.tests.map(({ run }) => this.world.testResult({ run, outcome, cause }));
        // The last way of a lying agent: it leaves out what it was asked for.
        const told = how % 7 === 4 ? [] : tests;
        return { kind: 'test', outcome: 'succeeded', tests: told, checks: [], changedTestFiles: [] };
      }
      case 'deploy': {
        const outcome = how % 6 === 0 ? 'passed' : 'failed';
        const checks = payload.checks.map(
          ({ id }) => ({ id, outcome, detail: 'seen', latencyMs: 1 }) as const,
        );
        const target = { kind: 'tcp', host: '127.0.0.1', port: 5000 } as const;
        if (how % 6 <= 1) return { kind: 'deploy', outcome: 'succeeded', target, image: null, checks };
        const cause = pick(causes, how % 6);
        return { kind: 'deploy', phase: 'smoking', outputTail: '', checks, ...failed(cause) };
      }
      case 'check':
        throw new Error('nobody asks for checks');
    }
  }

  /** Files of its own; a file that others write too; a broken plan; nothing to run; or no change at all. */
  private async write(lease: Lease, how: number, isHeld: boolean): Promise<string> {
    const { payload, job } = lease;
    if (payload.kind !== 'code') throw new Error('no code job');
    const { repositories, context } = this.world;
    const start = payload.startCommit!;
    const before = repositories.filesOf(start);
    const own = { [`file-${++this.writes}`]: 'x' };
    const ways: Readonly<Record<string, string>>[] = [
      { ...before, ...SITE, ...own },
      { ...before, ...SITE, ...own, shared: String(this.writes) },
      { ...before, ...own, 'dbox.yaml': `broken: ${this.writes}\n` },
      Object.fromEntries(Object.entries({ ...before, ...own }).filter(([path]) => !(path in SITE))),
      before,
    ];
    const commit = repositories.commit(ways[how] ?? before, [start]);
    if (isHeld) {
      await context.store.transact(async (tx) => {
        await tx.jobs.save({ ...(await tx.jobs.get(job.id))!, confirmedCommit: commit });
      });
    }
    return commit;
  }

  /** Agents beat and beat and never end. */
  private async hang(): Promise<void> {
    const { world } = this;
    await endOverdueJobs(world.context);
    world.nowMs += 3 * 60 * 60_000;
    for (const { job, lease } of this.held) {
      await heartbeatJob(world.context, { jobId: job.id, fence: lease.fence }).catch((error: unknown) => {
        if (!(error instanceof ProblemError)) throw error;
      });
    }
    await endOverdueJobs(world.context);
    await world.move();
    const leased = await world.context.store.read((reader) => reader.jobs.listLeased());
    if (leased.length > 0) throw new Error(`${leased[0]!.id} is held for ever`);
  }

  private async watch(project: string, how: number): Promise<void> {
    const key = { project, name: 'dev' };
    const environment = await this.world.context.store.read((reader) => reader.environments.get(key));
    for (let round = 0; round < 3; round++) {
      const now = await this.world.context.store.read((reader) => reader.environments.get(key));
      if (environment?.liveReleaseId && now?.liveReleaseId) await this.world.watch(project, how % 2 === 0);
    }
  }

  /** What a person asks may be refused, and then changes nothing. */
  private async ask<T>(from: readonly T[], which: number, call: (one: T) => Promise<unknown>): Promise<void> {
    const one = pick(from, which);
    if (one === undefined) return;
    const head = () => this.world.context.store.read((reader) => reader.events.head());
    const before = await head();
    try {
      await call(one);
    } catch (error) {
      if (!(error instanceof ProblemError || error instanceof IllegalTransitionError)) throw error;
      if ((await head())?.seq !== before?.seq)
        throw new Error('a refused call left an event', { cause: error });
    }
    await this.world.move();
  }
}

function pick<T>(from: readonly [T, ...T[]], which: number): T;
function pick<T>(from: readonly T[], which: number): T | undefined;
function pick<T>(from: readonly T[], which: number): T | undefined {
  return from.length === 0 ? undefined : from[which % from.length];
}
