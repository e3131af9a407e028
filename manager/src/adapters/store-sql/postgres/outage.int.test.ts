import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { ProblemError } from '@dbox/contracts';
import type { CommitNotice, Store } from '../../../ports/store.ts';
import { eventDraft } from '../../../ports/testing/store-ledger.testsuite.ts';
import { createSystemClock } from '../../system-clock.ts';
import { startPostgresServer } from '../testing/postgres-server.ts';
import { TcpProxy } from '../testing/tcp-proxy.ts';
import { verifyLedger } from '../verify-ledger.ts';
import type { PostgresAddress } from './address.ts';
import { openPostgresStore } from './open.ts';

/** How the end of a transaction looks on the wire. */
const COMMIT = "'; commit";

const { server, skip } = await startPostgresServer();

/** A store behind a network that the test may cut, and the log of what it said of that. */
async function openBehindProxy(t: TestContext) {
  const direct = await server!.makeDatabase();
  const proxy = await TcpProxy.open(direct);
  const address: PostgresAddress = { ...direct, host: '127.0.0.1', port: proxy.port };
  const said: string[] = [];
  let heard = () => {};
  const store = await openPostgresStore({
    address,
    clock: createSystemClock(),
    headFile: null,
    log: (level, message) => {
      said.push(`${level}: ${message}`);
      heard();
    },
  });
  t.after(async () => {
    await store.close();
    await proxy.close();
    await server!.dropDatabase(direct);
  });
  /** Resolves once the store has said this. */
  const says = (pattern: RegExp) =>
    new Promise<void>((resolve) => {
      heard = () => said.some((line) => pattern.test(line)) && resolve();
      heard();
    });
  return { store, proxy, direct, said, says };
}

const append = (store: Store, type: string) => store.transact((tx) => tx.events.append(eventDraft(type)));
const bump = (store: Store) => store.transact((tx) => tx.topology.bump());
const typesOf = async (store: Store) =>
  (await store.read((reader) => reader.events.list({ after: 0, limit: 10_000 }))).map((event) => event.type);

function isUnavailable(error: unknown): boolean {
  return (
    error instanceof ProblemError && error.code === 'store_unavailable' && (error.retryAfterSeconds ?? 0) > 0
  );
}
/** As a well-behaved caller does: again, after a while, until it is answered. */
async function untilAnswered<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

describe('a store that is out of reach', { skip, timeout: 120_000 }, () => {
  test('answers what is pending and what comes later with a problem to try again, and recovers by itself', async (t) => {
    const { store, proxy, says } = await openBehindProxy(t);
    await append(store, 'before');
    proxy.set('refuse');
    const pending = [
      append(store, 'lost'),
      bump(store),
      store.read((reader) => reader.topology.revision()),
      append(store, 'lost'),
    ];
    for (const settled of await Promise.allSettled(pending)) {
      assert.ok(settled.status === 'rejected' && isUnavailable(settled.reason));
    }
    await says(/out of reach/);
    await assert.rejects(append(store, 'lost'), isUnavailable);
    await assert.rejects(
      store.read((reader) => reader.topology.revision()),
      isUnavailable,
    );
    proxy.set('pass');
    await says(/back after/);
    await append(store, 'after');
    assert.deepEqual(await typesOf(store), ['before', 'after']);
    assert.equal((await verifyLedger(store, { headFile: null })).problem, null);
  });

  test('is noticed within seconds when nothing comes back any more', async (t) => {
    const { store, proxy } = await openBehindProxy(t);
    await append(store, 'before');
    proxy.set('swallow');
    const startedAtMs = performance.now();
    await assert.rejects(append(store, 'lost'), isUnavailable);
    const tookMs = performance.now() - startedAtMs;
    assert.ok(tookMs < 20_000, `${tookMs} ms`);
    // What comes later is not kept waiting.
    const laterAtMs = performance.now();
    await assert.rejects(append(store, 'lost'), isUnavailable);
    assert.ok(performance.now() - laterAtMs < 4_000);
    proxy.set('pass');
    await untilAnswered(() => append(store, 'after'));
    assert.deepEqual(await typesOf(store), ['before', 'after']);
  });

  test('holds the lock again at once, though the server goes on believing in the session before', async (t) => {
    const { store, proxy } = await openBehindProxy(t);
    await append(store, 'before');
    proxy.orphanSessions();
    const startedAtMs = performance.now();
    await untilAnswered(() => append(store, 'after'));
    assert.ok(performance.now() - startedAtMs < 10_000);
    assert.deepEqual(await typesOf(store), ['before', 'after']);
  });

  test('lets a work that swallows the loss do nothing on the connection that comes next', async (t) => {
    const { store, proxy } = await openBehindProxy(t);
    const heard = (text: string) =>
      new Promise<void>((resolve) => {
        proxy.onSaid = (said) => said.includes(text) && resolve();
      });
    const work = store.transact(async (tx) => {
      await tx.topology.bump();
      const again = heard('listen dbox_commits');
      proxy.set('refuse');
      proxy.set('pass');
      await again;
      await assert.rejects(tx.topology.bump(), isUnavailable);
      await assert.rejects(tx.topology.bump(), isUnavailable);
    });
    await assert.rejects(work, isUnavailable);
    assert.equal(await untilAnswered(() => store.read((reader) => reader.topology.revision())), 0);
  });

  test('tells the truth of a commit whose answer was lost: it was made', async (t) => {
    const { store, proxy } = await openBehindProxy(t);
    await append(store, 'before');
    const notices: CommitNotice[] = [];
    store.onCommit((notice) => notices.push(notice));
    proxy.onSaid = (text) => text.includes(COMMIT) && proxy.set('mute');
    proxy.onMuted = () => {
      proxy.set('refuse');
      proxy.set('pass');
    };
    const answers = await Promise.all([append(store, 'made'), append(store, 'made'), bump(store)]);
    assert.deepEqual([answers[0].seq, answers[1].seq, answers[2]], [2, 3, 1]);
    assert.deepEqual(
      notices.flatMap((notice) => notice.events.map((event) => event.seq)),
      [2, 3],
    );
    await append(store, 'after');
    assert.deepEqual(await typesOf(store), ['before', 'made', 'made', 'after']);
    assert.equal((await verifyLedger(store, { headFile: null })).problem, null);
  });

  test('tells the truth of a commit without events, too', async (t) => {
    const { store, proxy } = await openBehindProxy(t);
    proxy.onSaid = (text) => text.includes(COMMIT) && proxy.set('mute');
    proxy.onMuted = () => {
      proxy.set('refuse');
      proxy.set('pass');
    };
    assert.equal(await bump(store), 1);
    assert.equal(await store.read((reader) => reader.topology.revision()), 1);
  });

  test('tells the truth of a commit that never reached the server: it was not made', async (t) => {
    const { store, proxy } = await openBehindProxy(t);
    await append(store, 'before');
    let cut = false;
    proxy.onSaid = (text) => {
      if (cut || !text.includes(COMMIT)) return;
      cut = true;
      proxy.set('refuse');
      proxy.set('pass');
    };
    await assert.rejects(append(store, 'never made'), isUnavailable);
    assert.ok(cut);
    await untilAnswered(() => append(store, 'after'));
    assert.deepEqual(await typesOf(store), ['before', 'after']);
  });

  test('does not keep the caller of such a commit for ever', async (t) => {
    const { store, proxy } = await openBehindProxy(t);
    proxy.onSaid = (text) => text.includes(COMMIT) && proxy.set('mute');
    proxy.onMuted = () => proxy.set('refuse');
    await assert.rejects(
      append(store, 'made'),
      (error) => isUnavailable(error) && /not known yet/.test((error as Error).message),
    );
    proxy.onSaid = () => {};
    proxy.set('pass');
    assert.deepEqual(await untilAnswered(() => typesOf(store)), ['made']);
    await append(store, 'after');
    assert.deepEqual(await typesOf(store), ['made', 'after']);
  });

  test('does not go on from a ledger that was set back, and goes on once the right one is there', async (t) => {
    const { store, proxy, direct, says } = await openBehindProxy(t);
    await append(store, 'one');
    await append(store, 'two');
    const before = await server!.query('select * from events where seq = 2', [], direct);
    proxy.set('refuse');
    await assert.rejects(append(store, 'lost'), isUnavailable);
    await server!.query('delete from events where seq = 2', [], direct);
    proxy.set('pass');
    await says(/replaced or restored/);
    await assert.rejects(append(store, 'fork'), /replaced or restored/);
    const { seq, at, actor, type, subject, data, hash } = before[0]!;
    await server!.query(
      'insert into events (seq, at, actor, type, subject, data, hash) values ($1, $2, $3, $4, $5, $6, $7)',
      [seq, at, actor, type, subject, data, hash],
      direct,
    );
    await untilAnswered(() => append(store, 'three'));
    assert.deepEqual(await typesOf(store), ['one', 'two', 'three']);
  });

  test('wakes whoever follows with what was written meanwhile', async (t) => {
    const { store, proxy, direct } = await openBehindProxy(t);
    await bump(store);
    const noticed = new Promise<CommitNotice>((resolve) => {
      store.onCommit((notice) => notice.events.length > 0 && resolve(notice));
    });
    proxy.set('refuse');
    await assert.rejects(bump(store), isUnavailable);
    const other = await TcpProxy.open(direct);
    const second = await openPostgresStore({ address: direct, clock: createSystemClock(), headFile: null });
    await append(second, 'by another manager');
    await second.close();
    await other.close();
    proxy.set('pass');
    const notice = await noticed;
    assert.deepEqual(
      notice.events.map((event) => event.type),
      ['by another manager'],
    );
    assert.equal(notice.topologyRevision, 1);
    await append(store, 'after');
    assert.equal((await verifyLedger(store, { headFile: null })).problem, null);
  });

  test('can be closed while it is looked for', async (t) => {
    const { store, proxy, says } = await openBehindProxy(t);
    proxy.set('swallow');
    await server!.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'dbox-manager-%'`,
    );
    proxy.set('refuse');
    await says(/out of reach/);
    await store.close();
    await assert.rejects(
      append(store, 'late'),
      (error) => error instanceof ProblemError && error.code === 'stopping',
    );
  });
});
