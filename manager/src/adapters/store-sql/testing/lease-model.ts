import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  extendLease,
  finishJob,
  holdsLease,
  type LeasedJob,
  loseLease,
} from '../../../domain/job-lifecycle.ts';
import type { JobRecord } from '../../../ports/records.ts';
import type { Store } from '../../../ports/store.ts';
import { jobRecord } from '../../../ports/testing/store-records.ts';

/**
 * The lease protocol as a model: any order of enqueue, claim, heartbeat, result, expiry and late call,
 * run on the real store and the real lifecycle functions, compared with a few lines of bookkeeping
 * that know nothing of fences but which lease was granted last.
 */
const LEASE_MS = 1_000;

interface Granted {
  readonly jobId: string;
  readonly fence: number;
}

/** What must be true, kept apart from the store: who holds what, and whose result counted. */
interface Model {
  jobCount: number;
  readonly granted: Granted[];
  /** The lease that may speak for a job; absent while nobody may. */
  readonly holder: Map<string, Granted>;
  readonly accepted: Map<string, Granted>;
}

export type Holds = (job: LeasedJob, fence: number) => boolean;

/** The verbs of the protocol, each one transaction, as the use cases do them. */
class Desk {
  readonly store: Store;
  readonly #holds: Holds;
  nowMs = 0;

  constructor(store: Store, holds: Holds) {
    this.store = store;
    this.#holds = holds;
  }

  enqueue(id: string, priority: number): Promise<unknown> {
    return this.store.transact((tx) => tx.jobs.insert(jobRecord({ id, priority })));
  }

  claim(): Promise<JobRecord | null> {
    const expiresAtMs = this.nowMs + LEASE_MS;
    return this.store.transact((tx) => tx.jobs.claim({ kinds: ['test'], agentId: 'agt', expiresAtMs }));
  }

  heartbeat(lease: Granted): Promise<boolean> {
    return this.#ifHeld(lease, (job) => extendLease(job, this.nowMs + LEASE_MS));
  }

  complete(lease: Granted): Promise<boolean> {
    return this.#ifHeld(lease, (job) => finishJob(job, 'succeeded'));
  }

  /** The jobs whose lease was given away. */
  async expire(): Promise<string[]> {
    return this.store.transact(async (tx) => {
      const expired = await tx.jobs.listExpired(this.nowMs);
      for (const job of expired) await tx.jobs.save(loseLease(job));
      return expired.map((job) => job.id);
    });
  }

  async get(id: string): Promise<JobRecord> {
    const job = await this.store.read((reader) => reader.jobs.get(id));
    assert.ok(job);
    return job;
  }

  #ifHeld(lease: Granted, change: (job: JobRecord) => JobRecord): Promise<boolean> {
    return this.store.transact(async (tx) => {
      const job = await tx.jobs.get(lease.jobId);
      if (job === null || !this.#holds(job, lease.fence)) return false;
      await tx.jobs.save(change(job));
      return true;
    });
  }
}

type Command = fc.AsyncCommand<Model, Desk>;

const pick = (model: Model, choice: number): Granted => model.granted[choice % model.granted.length]!;

function enqueue(priority: number): Command {
  return {
    check: () => true,
    async run(model, desk) {
      await desk.enqueue(`job_${model.jobCount++}`, priority);
    },
    toString: () => `enqueue(${priority})`,
  };
}

function grant(model: Model, job: JobRecord): void {
  assert.equal(model.holder.has(job.id), false, `${job.id} was leased to two at once`);
  assert.equal(model.accepted.has(job.id), false, `${job.id} was leased after its result`);
  const former = model.granted.filter((lease) => lease.jobId === job.id).map((lease) => lease.fence);
  assert.ok(job.fence > Math.max(0, ...former), `the fence of ${job.id} did not grow`);
  const lease = { jobId: job.id, fence: job.fence };
  model.granted.push(lease);
  model.holder.set(job.id, lease);
}

/** `count` agents ask in the same tick. */
function claim(count: number): Command {
  return {
    check: () => true,
    async run(model, desk) {
      const jobs = await Promise.all(Array.from({ length: count }, () => desk.claim()));
      for (const job of jobs) if (job !== null) grant(model, job);
    },
    toString: () => `claim(${count})`,
  };
}

function heartbeat(choice: number): Command {
  return {
    check: (model) => model.granted.length > 0,
    async run(model, desk) {
      const lease = pick(model, choice);
      const before = await desk.get(lease.jobId);
      const current = model.holder.get(lease.jobId) === lease;
      assert.equal(await desk.heartbeat(lease), current, 'a heartbeat holds exactly for the present lease');
      const after = await desk.get(lease.jobId);
      // A whole lease from now, also where the clock was set back meanwhile.
      if (current) assert.equal(after.leaseExpiresAtMs, desk.nowMs + LEASE_MS);
      else assert.deepEqual(after, before, 'a stale heartbeat changed the job');
    },
    toString: () => `heartbeat(${choice})`,
  };
}

/** A result, sent `count` times at once, from a lease that may long be stale. */
function complete(choice: number, count: number): Command {
  return {
    check: (model) => model.granted.length > 0,
    async run(model, desk) {
      const lease = pick(model, choice);
      const before = await desk.get(lease.jobId);
      const current = model.holder.get(lease.jobId) === lease;
      const answers = await Promise.all(Array.from({ length: count }, () => desk.complete(lease)));
      const acceptedCount = answers.filter(Boolean).length;
      assert.equal(acceptedCount, current ? 1 : 0, 'a result counts once, and only under the present lease');
      const after = await desk.get(lease.jobId);
      if (!current) return assert.deepEqual(after, before, 'a stale result changed the job');
      assert.equal(after.status, 'succeeded');
      model.holder.delete(lease.jobId);
      model.accepted.set(lease.jobId, lease);
    },
    toString: () => `complete(${choice} x${count})`,
  };
}

/** The clock goes on, or back, and the rescue looks. */
function tick(deltaMs: number): Command {
  return {
    check: () => true,
    async run(model, desk) {
      desk.nowMs = Math.max(0, desk.nowMs + deltaMs);
      for (const id of await desk.expire()) {
        assert.ok(model.holder.delete(id), `${id} expired without a lease`);
      }
    },
    toString: () => `tick(${deltaMs})`,
  };
}

const COMMANDS = fc.commands(
  [
    fc.integer({ min: 0, max: 3 }).map(enqueue),
    fc.integer({ min: 1, max: 3 }).map(claim),
    fc.nat({ max: 20 }).map(heartbeat),
    fc
      .tuple(fc.nat({ max: 20 }), fc.integer({ min: 1, max: 2 }))
      .map(([choice, count]) => complete(choice, count)),
    fc.constantFrom(1, LEASE_MS / 2, LEASE_MS, -LEASE_MS).map(tick),
  ],
  { maxCommands: 40 },
);

/** `openStore` gives one without jobs each time. */
export function leaseProtocol(openStore: () => Promise<Store>, holds: Holds = holdsLease) {
  return fc.asyncProperty(COMMANDS, async (commands) => {
    const store = await openStore();
    try {
      await fc.asyncModelRun(
        () => ({
          model: { jobCount: 0, granted: [], holder: new Map(), accepted: new Map() },
          real: new Desk(store, holds),
        }),
        commands,
      );
    } finally {
      await store.close();
    }
  });
}
