import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Event } from '@dbox/contracts';
import { ProblemError } from '@dbox/contracts';
import pg from 'pg';
import { type CommitNotice, DuplicateKeyError, type Store } from '../../../ports/store.ts';
import { eventDraft } from '../../../ports/testing/store-ledger.testsuite.ts';
import { agentRecord } from '../../../ports/testing/store-records.ts';
import { createSystemClock } from '../../system-clock.ts';
import { StoreHeldError } from '../store-held-error.ts';
import { eventHash } from '../tables/events.ts';
import { startPostgresServer } from '../testing/postgres-server.ts';
import { verifyLedger } from '../verify-ledger.ts';
import type { PostgresAddress } from './address.ts';
import { openPostgresStore } from './open.ts';

const { server, skip } = await startPostgresServer();

async function openStore(t: TestContext) {
  const address = await server!.makeDatabase();
  const open = () => openPostgresStore({ address, clock: createSystemClock(), headFile: null });
  const store = await open();
  t.after(async () => {
    await store.close();
    await server!.dropDatabase(address);
  });
  return { store, address, open };
}

const append = (store: Store, type: string) => store.transact((tx) => tx.events.append(eventDraft(type)));

/** What a program that knows the rules of the ledger, but not of the one writer, would do. */
async function appendFromOutside(
  store: Store,
  address: PostgresAddress,
  o: { tell: boolean },
): Promise<number> {
  const head = await store.read((reader) => reader.events.head());
  const draft = { ...eventDraft('from outside'), seq: (head?.seq ?? 0) + 1 };
  const hash = eventHash(head!.hash, draft);
  await server!.query(
    `insert into events (seq, at, actor, type, subject, data, hash) values ($1, $2, $3, $4, $5, '{}', $6)`,
    [draft.seq, draft.at, draft.actor, draft.type, draft.subject, hash],
    address,
  );
  if (o.tell) await server!.query(`select pg_notify('dbox_commits', $1)`, [String(draft.seq)], address);
  return draft.seq;
}

describe('a Postgres store and others', { skip, timeout: 120_000 }, () => {
  test('a follower by cursor loses nothing of what twelve writers append', async (t) => {
    const { store } = await openStore(t);
    const EACH = 30;
    const seen: Event[] = [];
    let writing = true;
    const follower = (async () => {
      for (let cursor = 0; ; ) {
        const last = !writing;
        const page = await store.read((reader) => reader.events.list({ after: cursor, limit: 50 }));
        seen.push(...page);
        cursor = page.at(-1)?.seq ?? cursor;
        if (page.length === 0 && last) return;
      }
    })();
    await Promise.all(
      Array.from({ length: 12 }, async (_, writer) => {
        for (let n = 0; n < EACH; n++) {
          const work = store.transact(async (tx) => {
            await tx.events.append(eventDraft('written', { data: { writer, n } }));
            // Numbers that are given and taken back are where cursors lose events.
            if ((writer + n) % 5 === 0) throw new Error('taken back');
          });
          await work.catch(() => append(store, 'instead'));
        }
      }),
    );
    writing = false;
    await follower;
    assert.deepEqual(
      seen.map((event) => event.seq),
      Array.from({ length: 12 * EACH }, (_, index) => index + 1),
    );
    assert.equal((await verifyLedger(store, { headFile: null })).problem, null);
  });

  test('a second manager is refused, and told who holds the store and what to do', async (t) => {
    const { store, open, address } = await openStore(t);
    await assert.rejects(open(), (error) => {
      assert.ok(error instanceof StoreHeldError);
      assert.match(error.message, /dbox-manager-\w+, from .*, since 20/);
      assert.match(error.message, /stop it first/);
      assert.equal(error.place, `postgres://postgres@127.0.0.1:${address.port}/${address.database}`);
      return true;
    });
    await append(store, 'the first goes on');
    await store.close();
    await (await open()).close();
  });

  test('a refused save that a work swallows takes the work with it, alone and among others', async (t) => {
    const { store } = await openStore(t);
    await store.transact((tx) => tx.agents.insert(agentRecord({ id: 'agt_1', name: 'one' })));
    const two = await store.transact((tx) => tx.agents.insert(agentRecord({ id: 'agt_2', name: 'two' })));
    const swallow = () =>
      store.transact(async (tx) => {
        await tx.events.append(eventDraft('never'));
        await tx.agents.save({ ...two, name: 'one' }).catch(() => undefined);
      });
    await assert.rejects(swallow(), DuplicateKeyError);
    const settled = await Promise.allSettled([append(store, 'kept'), swallow(), append(store, 'kept')]);
    assert.deepEqual(
      settled.map((one) => one.status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    const events = await store.read((reader) => reader.events.list({ after: 0, limit: 10 }));
    assert.deepEqual(
      events.map((event) => event.type),
      ['kept', 'kept'],
    );
  });

  test('every commit is told on the channel, with the newest event’s number', async (t) => {
    const { store, address } = await openStore(t);
    const { host, port, database, user, password } = address;
    const text = password.kind === 'text' ? password.text : '';
    const listener = new pg.Client({ host, port, database, user, password: text, ssl: false });
    listener.on('error', () => {});
    await listener.connect();
    const heard: string[] = [];
    const three = new Promise<void>((resolve) => {
      listener.on('notification', ({ payload }) => {
        heard.push(payload!);
        if (heard.length === 3) resolve();
      });
    });
    await listener.query('listen dbox_commits');
    await append(store, 'one');
    await store.transact(async (tx) => {
      await tx.events.append(eventDraft('two'));
      await tx.events.append(eventDraft('three'));
    });
    await store.transact((tx) => tx.topology.bump());
    await three;
    await listener.end();
    assert.deepEqual(heard, ['1', '3', '3']);
  });

  test('an event that another program appended and told of is seen by whoever follows', async (t) => {
    const { store, address } = await openStore(t);
    await append(store, 'one');
    const noticed = new Promise<CommitNotice>((resolve) => {
      store.onCommit((notice) => resolve(notice));
    });
    await appendFromOutside(store, address, { tell: true });
    assert.deepEqual(
      (await noticed).events.map((event) => [event.seq, event.type]),
      [[2, 'from outside']],
    );
    await append(store, 'three');
    assert.deepEqual((await verifyLedger(store, { headFile: null })).count, 3);
  });

  test('one that nobody told of is found at the next append, which is to be tried again', async (t) => {
    const { store, address } = await openStore(t);
    await append(store, 'one');
    const noticed = new Promise<CommitNotice>((resolve) => {
      store.onCommit(
        (notice) => notice.events.some((event) => event.type === 'from outside') && resolve(notice),
      );
    });
    await appendFromOutside(store, address, { tell: false });
    await assert.rejects(
      append(store, 'collides'),
      (error) => error instanceof ProblemError && error.code === 'store_unavailable',
    );
    await noticed;
    await append(store, 'three');
    const report = await verifyLedger(store, { headFile: null });
    assert.deepEqual([report.problem, report.count], [null, 3]);
  });
});
