import { writeSync } from 'node:fs';
import { parseStoreAddress } from '../../../store-address.ts';
import { createSystemClock } from '../../system-clock.ts';
import { openPostgresStore, openSqliteStore } from '../index.ts';

/**
 * A process to be killed: writes stories and events without end, several at once, and prints an id
 * only after its transaction was acknowledged. Arguments: the store (a file or an address), the head file, a name for the run.
 */
const [path, headFile, run] = process.argv.slice(2);
if (path === undefined || headFile === undefined || run === undefined) throw new Error('path, headFile, run');
const given = { clock: createSystemClock(), headFile };
const store = path.startsWith('postgres://')
  ? await openPostgresStore({ ...given, address: parseStoreAddress(path, undefined)! })
  : await openSqliteStore({ ...given, path });

let next = 0;
async function write(): Promise<never> {
  for (;;) {
    const key = `${run}-${next++}`;
    await store.transact(async (tx) => {
      await tx.idempotency.insert({ key, bodyHash: '', answer: '', createdAt: '', version: 1 });
      await tx.events.append({
        at: '',
        actor: 'system',
        type: 'written',
        subject: `key/${key}`,
        data: { key },
      });
    });
    writeSync(1, `${key}\n`);
  }
}
await Promise.all([write(), write(), write(), write()]);
