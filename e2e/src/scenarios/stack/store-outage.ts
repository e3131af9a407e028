import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { get, until } from '../../box.ts';
import type { Scenario } from '../../scenario.ts';
import { DOCKER, stackOf, status } from '../../scenario.ts';
import { urlOf } from '../../soak/box-client.ts';
import { docker } from '../../stack.ts';
import { allHealthy, assertDelivered, happened, STACK_LEASES, submit } from './story-under-faults.ts';

const AWAY_MS = 30_000;
/** An answer that takes longer than this is no answer to somebody who waits. */
const ANSWER_LIMIT_MS = 20_000;

export const storeOutage: Scenario = {
  name: 'Postgres away for 30 s in mid-story: 503 with Retry-After, sites serve on, the story is delivered',
  modes: DOCKER,
  stack: 'kills',
  env: STACK_LEASES,
  async run(box) {
    await box.ok(['up']);
    const stack = stackOf(box);
    await submit(box, 'outage-before');
    await assertDelivered(box, 'outage-before', 'nothing');
    const site = (await status(box)).projects.find((one) => one.name === 'outage-before')!.environments[0]!
      .url;

    await submit(box, 'outage');
    await happened(box, 'outage', 'task.complete');
    const { Id } = await stack.service('task-store');
    await docker(['pause', Id]);
    const backAtMs = Date.now() + AWAY_MS;
    try {
      const token = (await readFile(join(box.workspace, 'secrets/operator.token'), 'utf8')).trim();
      const url = new URL('/v1/stories', await urlOf(box));
      const ask = () =>
        fetch(url, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: JSON.stringify({ text: 'a page that nobody should get' }),
          signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
        });
      const answer = await ask();
      assert.equal(answer.status, 503, await answer.clone().text());
      assert.ok(Number(answer.headers.get('retry-after')) > 0, 'and says when to come back');
      assert.match(answer.headers.get('content-type') ?? '', /problem\+json/);
      assert.equal((await get(site)).status, 200, 'sites do not need the store');
      await new Promise((over) => setTimeout(over, Math.max(0, backAtMs - Date.now())));
    } finally {
      await docker(['unpause', Id]);
    }
    await until('the box answers again', async () => (await status(box).catch(() => null)) !== null);
    await assertDelivered(box, 'outage', 'an outage of the store');
    await allHealthy(box);
  },
};
