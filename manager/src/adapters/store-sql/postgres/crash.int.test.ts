import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSystemClock } from '../../system-clock.ts';
import { describeCrashes } from '../testing/crash.testsuite.ts';
import { startPostgresServer, urlOf } from '../testing/postgres-server.ts';
import { labelOf } from './address.ts';
import { openPostgresStore } from './open.ts';

const { server, skip } = await startPostgresServer();

describeCrashes('a store on Postgres', {
  skip,
  async makePlace(t) {
    const folder = await mkdtemp(join(tmpdir(), 'dbox-store-'));
    const address = await server!.makeDatabase();
    t.after(async () => {
      await rm(folder, { recursive: true, force: true });
      await server!.dropDatabase(address);
    });
    const headFile = join(folder, 'ledger.head');
    return {
      location: urlOf(address),
      label: labelOf(address),
      headFile,
      open: () => openPostgresStore({ address, clock: createSystemClock(), headFile }),
    };
  },
});
