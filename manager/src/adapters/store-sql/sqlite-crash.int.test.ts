import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from './index.ts';
import { describeCrashes } from './testing/crash.testsuite.ts';
import { stillClock } from './testing/still-clock.ts';

describeCrashes('a store on SQLite', {
  skip: false,
  async makePlace(t) {
    const folder = await mkdtemp(join(tmpdir(), 'dbox-store-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const place = { path: join(folder, 'task.db'), headFile: join(folder, 'ledger.head') };
    return {
      location: place.path,
      label: place.path,
      headFile: place.headFile,
      open: () => openSqliteStore({ ...place, clock: stillClock() }),
    };
  },
});
