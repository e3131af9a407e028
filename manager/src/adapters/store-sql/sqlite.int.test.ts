import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeStore } from '../../ports/testing/store.testsuite.ts';
import { openSqliteStore } from './index.ts';
import { stillClock } from './testing/still-clock.ts';

describeStore('SqlStore on SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dbox-store-'));
  return {
    open: () =>
      openSqliteStore({
        path: join(folder, 'task.db'),
        clock: stillClock(),
        headFile: join(folder, 'ledger.head'),
      }),
    remove: () => rm(folder, { recursive: true }),
  };
});
