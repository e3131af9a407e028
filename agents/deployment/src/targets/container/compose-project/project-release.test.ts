import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReleaseExit, RunningRelease } from '../../target.ts';
import { joinParts } from './project-release.ts';

const ENDED: ReleaseExit = { exitCode: 0, signal: null, cause: 'commit', detail: 'exit 0' };

/** Runs until it is stopped; the engine fails as many stops as are given. */
function running(o: { failures?: number; stopped?: string[]; name?: string } = {}) {
  let failures = o.failures ?? 0;
  const { promise, resolve } = Promise.withResolvers<ReleaseExit>();
  const release: RunningRelease = {
    target: { kind: 'tcp', host: 'x', port: 1 },
    pid: null,
    exited: promise,
    async stop() {
      o.stopped?.push(o.name ?? '');
      if (failures-- > 0) throw new Error('the connection to the engine broke');
      resolve(ENDED);
      await promise;
    },
  };
  return { release, resolve };
}

test('where the engine fails to stop what serves, the stop fails, and the next one ends it', async () => {
  const joined = joinParts({
    web: running({ failures: 1 }).release,
    parts: [{ service: 'worker', release: running().release }],
    tidy: async () => undefined,
  });
  await assert.rejects(joined.stop(0), /connection to the engine broke/);
  await joined.stop(0);
  assert.deepEqual(await joined.exited, ENDED);
});

test('what serves is stopped before what it needs, and a failure beside it ends all', async () => {
  const stopped: string[] = [];
  const worker = running({ stopped, name: 'worker' });
  const joined = joinParts({
    web: running({ stopped, name: 'web' }).release,
    parts: [{ service: 'worker', release: worker.release }],
    tidy: async () => undefined,
  });
  worker.resolve({ ...ENDED, exitCode: 3, detail: 'exit 3' });
  assert.equal((await joined.exited).detail, 'its service worker: exit 3');
  assert.deepEqual(stopped, ['web', 'worker']);
});
