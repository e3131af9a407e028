import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JobKind } from '@dbox/contracts';
import type { Clock } from '../ports/clock.ts';
import type { CommitNotice, Store } from '../ports/store.ts';
import { LeaseDesk } from './lease-desk.ts';

function setUp() {
  let listener: (notice: CommitNotice) => void = () => {};
  const timers = new Set<() => void>();
  const clock: Clock = {
    nowMs: () => 0,
    after: (_, callback) => {
      timers.add(callback);
      return () => timers.delete(callback);
    },
  };
  const store = {
    onCommit(given: typeof listener) {
      listener = given;
      return () => {
        listener = () => {};
      };
    },
  } as Pick<Store, 'onCommit'> as Store;
  const desk = new LeaseDesk(store, clock);
  const queue = (...queuedKinds: JobKind[]) =>
    listener({ events: [], queuedKinds, topologyRevision: null, transactions: 1, durationMs: 0 });
  return { desk, queue, timers };
}

const never = () => new AbortController().signal;

test('each job wakes one waiter of its kind, and nobody else', async () => {
  const { desk, queue, timers } = setUp();
  const woken: string[] = [];
  const wait = async (name: string, kind: JobKind) => {
    if (await desk.wait([kind], 1000, never())) woken.push(name);
  };
  const waits = [wait('c1', 'code'), wait('t1', 'test'), wait('c2', 'code'), wait('c3', 'code')];
  queue('code', 'code');
  await Promise.all([waits[0], waits[2]]);
  assert.deepEqual(woken, ['c1', 'c2']);
  assert.equal(timers.size, 2);
});

test('a job that comes while its agent is still looking is not missed', async () => {
  const { desk, queue } = setUp();
  const ticket = desk.ticket();
  queue('code');
  assert.equal(await desk.wait(['code'], 1000, never(), ticket), true);
});

test('old news of its kind and fresh news of others let a waiter wait', async () => {
  const { desk, queue, timers } = setUp();
  queue('code');
  const ticket = desk.ticket();
  queue('test');
  const waiting = desk.wait(['code'], 1000, never(), ticket);
  assert.equal(timers.size, 1);
  for (const fire of timers) fire();
  assert.equal(await waiting, false);
});

test('a waiter whose caller has gone is forgotten, so that it takes no turn', async () => {
  const { desk, queue, timers } = setUp();
  const gone = new AbortController();
  const first = desk.wait(['code'], 1000, gone.signal);
  const second = desk.wait(['code'], 1000, never());
  gone.abort();
  assert.equal(await first, false);
  queue('code');
  assert.equal(await second, true);
  assert.equal(timers.size, 0);
});

test('nobody waits without time or for a caller that has gone already', async () => {
  const { desk } = setUp();
  assert.equal(await desk.wait(['code'], 0, never()), false);
  assert.equal(await desk.wait(['code'], 1000, AbortSignal.abort()), false);
});

test('when anything may have become takeable, all look', async () => {
  const { desk } = setUp();
  const waits = [desk.wait(['code'], 1000, never()), desk.wait(['test'], 1000, never())];
  desk.wakeAll();
  assert.deepEqual(await Promise.all(waits), [true, true]);
});
