import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Store } from '../../../ports/store.ts';
import { StoreHeldError } from '../store-held-error.ts';
import { verifyLedger } from '../verify-ledger.ts';

const WRITER = fileURLToPath(new URL('./write-in-a-loop.ts', import.meta.url));

/** A store that a process of its own can open, too. */
export interface CrashPlace {
  /** A file, or the address of a server. */
  readonly location: string;
  /** How a refusal names it. */
  readonly label: string;
  readonly headFile: string;
  open(): Promise<Store>;
}

/** What kill -9 may not do to a store. */
export function describeCrashes(
  name: string,
  o: { readonly skip: string | false; makePlace(t: TestContext): Promise<CrashPlace> },
): void {
  describe(name, { skip: o.skip }, () => {
    test('a second process is refused while one holds the store, and let in after it was killed', {
      timeout: 60_000,
    }, async (t) => {
      const place = await o.makePlace(t);
      const writer = startWriter(t, place, 'first');
      await writer.reached(1);
      await assert.rejects(place.open(), (error) => {
        assert.ok(error instanceof StoreHeldError);
        assert.equal(error.place, place.label);
        return true;
      });
      const ended = once(writer.child, 'exit');
      writer.child.kill('SIGKILL');
      await ended;
      const store = await place.open();
      // Held from its opening on, before the first piece of work.
      await assert.rejects(place.open(), StoreHeldError);
      await store.close();
    });

    test('after kill -9 in the midst of writing all that was acknowledged is there and the chain verifies', {
      timeout: 120_000,
    }, async (t) => {
      const place = await o.makePlace(t);
      const acknowledged: string[] = [];
      for (let round = 0; round < 4; round++) {
        const writer = startWriter(t, place, `round${round}`);
        await writer.reached(40 + round * 57);
        const ended = Promise.all([once(writer.child, 'exit'), writer.drained()]);
        writer.child.kill('SIGKILL');
        await ended;
        acknowledged.push(...writer.acknowledged);

        const store = await place.open();
        const found = new Set<string>();
        for (const key of acknowledged) {
          if ((await store.read((reader) => reader.idempotency.get(key))) !== null) found.add(key);
        }
        assert.deepEqual(
          acknowledged.filter((key) => !found.has(key)),
          [],
        );
        const report = await verifyLedger(store, { headFile: place.headFile });
        assert.equal(report.problem, null);
        assert.ok(report.count >= acknowledged.length);
        await store.close();
      }
    });
  });
}

/** Starts the writer; `acknowledged` grows line by line, a line cut by the kill is not counted. */
function startWriter(t: TestContext, place: CrashPlace, run: string) {
  const child = spawn(process.execPath, ['--no-warnings', WRITER, place.location, place.headFile, run], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  t.after(() => child.kill('SIGKILL'));
  const acknowledged: string[] = [];
  const lines = createInterface({ input: child.stdout });
  const reached = (count: number) =>
    new Promise<void>((resolve, reject) => {
      lines.on('line', (line) => {
        acknowledged.push(line);
        if (acknowledged.length >= count) resolve();
      });
      child.once('exit', () => reject(new Error('the writer ended by itself')));
    });
  return { child, acknowledged, reached, drained: () => once(lines, 'close') };
}
