import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'node:test';
import { describeStore } from '../../../ports/testing/store.testsuite.ts';
import { startPostgresServer } from '../testing/postgres-server.ts';
import { stillClock } from '../testing/still-clock.ts';
import { openPostgresStore } from './open.ts';

const { server, skip } = await startPostgresServer();

describe('on a real server', { skip }, () => {
  describeStore('SqlStore on Postgres', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dbox-store-'));
    const address = await server!.makeDatabase();
    return {
      open: () => openPostgresStore({ address, clock: stillClock(), headFile: join(folder, 'ledger.head') }),
      async remove() {
        await rm(folder, { recursive: true });
        await server!.dropDatabase(address);
      },
    };
  });
});
