import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import type { Store } from '../../../ports/store.ts';
import { leaseProtocol } from '../testing/lease-model.ts';
import { startPostgresServer } from '../testing/postgres-server.ts';
import { stillClock } from '../testing/still-clock.ts';
import { openPostgresStore } from './open.ts';

const { server, skip } = await startPostgresServer();

describe('the lease protocol on Postgres', { skip }, () => {
  test('one result a job is accepted, fences grow and stale calls change nothing', async () => {
    const address = await server!.makeDatabase();
    const store = await openPostgresStore({ address, clock: stillClock(), headFile: null });
    after(async () => {
      await store.close();
      await server!.dropDatabase(address);
    });
    // Opening costs more than a whole run, so the runs share one and begin without jobs.
    const shared: Store = {
      transact: (work) => store.transact(work),
      read: (work) => store.read(work),
      onCommit: (listener) => store.onCommit(listener),
      snapshot: () => store.snapshot(),
      close: async () => {},
    };
    const openStore = async () => {
      await server!.query('truncate jobs', [], address);
      return shared;
    };
    await fc.assert(leaseProtocol(openStore), { numRuns: 100 });
  });
});
