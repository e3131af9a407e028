import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { followEvents } from './follow-events.ts';
import { World } from './testing/world.ts';

let world: World;
beforeEach(async () => {
  world = await World.open();
});
afterEach(() => world.close());

const append = (count: number) =>
  world.context.store.transact(async (tx) => {
    for (let n = 0; n < count; n++) {
      await tx.events.append({
        at: '2026-01-01T00:00:00.000Z',
        actor: 'system',
        type: 'x.y',
        subject: 's',
        data: {},
      });
    }
  });

test('stored events come first and new ones after, in order and without a gap, over many pages', async () => {
  await append(1200);
  const stop = new AbortController();
  const seen: number[] = [];
  for await (const event of followEvents(world.context.store, 10, stop.signal)) {
    seen.push(event.seq);
    // Written while the reader is busy with an earlier page, and once it has caught up.
    if (event.seq === 600 || event.seq === 1200) await append(30);
    if (event.seq === 1260) stop.abort();
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 1250 }, (_, n) => n + 11),
  );
});

test('a follower that waits for news ends when its caller leaves', async () => {
  const stop = new AbortController();
  const following = followEvents(world.context.store, 0, stop.signal).next();
  await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  assert.equal((await following).done, true);
});

test('what is committed between reading and waiting is not missed', async () => {
  const stop = new AbortController();
  const { store } = world.context;
  const read = store.read.bind(store);
  store.read = async (work) => {
    const answer = await read(work);
    store.read = read;
    await append(1);
    return answer;
  };
  const first = await followEvents(store, 0, stop.signal).next();
  assert.equal(first.value?.seq, 1);
  stop.abort();
});
