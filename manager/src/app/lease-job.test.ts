import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { ProblemError } from '@dbox/contracts';
import { leaseJob } from './lease-job.ts';
import { SITE, specOf } from './testing/specs.ts';
import { World } from './testing/world.ts';

let world: World;
beforeEach(async () => {
  world = await World.open();
});
afterEach(() => world.close());

const ask = (signal: AbortSignal, waitMs = 30_000) =>
  leaseJob(world.context, world.desk, {
    agentKind: 'coding',
    agentId: 'agt_coding',
    kinds: ['code'],
    waitMs,
    signal,
  });

test('an agent that waits gets the job as soon as it is there', async () => {
  const waiting = ask(new AbortController().signal);
  await world.submit(specOf('one'), { project: 'p' });
  assert.equal((await waiting)?.payload.kind, 'code');
});

test('a job is missed at no moment between an agent looking and waiting', async () => {
  // All of these share commits in some order: looking, queueing and the wake-up race each other.
  const waiting = ask(new AbortController().signal);
  const submitting = world.submit(specOf('one'), { project: 'p' });
  const others = [world.lease('testing'), world.lease('testing')];
  await Promise.all([submitting, ...others]);
  assert.equal((await waiting)?.payload.kind, 'code');
});

test('a woken agent that has hung up leaves the job to the next', async () => {
  const gone = new AbortController();
  const first = ask(gone.signal);
  const second = ask(new AbortController().signal);
  await new Promise((resolve) => setImmediate(resolve));
  const submitting = world.submit(specOf('one'), { project: 'p' });
  const stop = world.context.store.onCommit(({ queuedKinds }) => {
    if (queuedKinds.length > 0) gone.abort();
  });
  await submitting;
  stop();
  assert.equal(await first, null);
  assert.equal((await second)?.payload.kind, 'code');
});

test('no lease is given while the disk is almost full, and an agent may lease its own kinds alone', async () => {
  await world.submit(specOf('one'), { project: 'p' });
  world.context.observations.warnings.set('disk', 'full');
  assert.equal(await ask(new AbortController().signal, 0), null);
  await assert.rejects(
    leaseJob(world.context, world.desk, {
      agentKind: 'coding',
      agentId: 'agt_coding',
      kinds: ['deploy'],
      waitMs: 0,
      signal: new AbortController().signal,
    }),
    (error) => error instanceof ProblemError && error.code === 'forbidden',
  );
  world.context.observations.warnings.delete('disk');
  await world.code(SITE);
});
