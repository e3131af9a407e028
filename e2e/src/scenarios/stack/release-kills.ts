import assert from 'node:assert/strict';
import { get, until } from '../../box.ts';
import { service } from '../../recorded-task.ts';
import type { Scenario } from '../../scenario.ts';
import { DOCKER, deliver, stackOf } from '../../scenario.ts';
import { allHealthy, assertNoOrphans, STACK_LEASES } from './story-under-faults.ts';

const STARTED_AGAIN_WITHIN_MS = 30_000;

export const releaseKills: Scenario = {
  name: 'under visitors, a killed release is started again, and a killed deployment agent is not even noticed',
  modes: DOCKER,
  stack: 'kills',
  env: STACK_LEASES,
  async run(box) {
    await box.ok(['up']);
    const report = await deliver(box, 'visited', [
      { id: 'visited', attempts: [service('visited')], acceptance: '  - url: /\n' },
    ]);
    const stack = stackOf(box);
    const [release] = await stack.releases('visited');
    assert.ok(release);

    const agent = await stack.service('deployment-agent');
    const answers = new Map<string, number>();
    let isOver = false;
    const visitors = Promise.all(
      [1, 2].map(async () => {
        while (!isOver) {
          const said = await get(report.url!).then((answer) => `${answer.status} ${answer.text}`, String);
          answers.set(said, (answers.get(said) ?? 0) + 1);
        }
      }),
    );
    await stack.crash(agent);
    await until('the deployment agent is back', async () => {
      const now = await stack.service('deployment-agent');
      return now.State.Running && now.RestartCount > agent.RestartCount;
    });
    await allHealthy(box);
    isOver = true;
    await visitors;
    assert.deepEqual([...answers.keys()], ['200 version visited'], JSON.stringify([...answers]));
    const [adopted] = await stack.releases('visited');
    assert.equal(adopted?.Id, release.Id, 'the next life took over what ran');
    assert.equal(adopted?.State.Pid, release.State.Pid, 'without starting it again');

    await stack.crash(release);
    await until(
      'the killed release answers again',
      async () => (await get(report.url!).catch(() => null))?.text === 'version visited',
      STARTED_AGAIN_WITHIN_MS,
    );
    await assertNoOrphans(box, 'kill -9 of a release');
    assert.equal((await stack.releases('visited')).filter(({ State }) => State.Running).length, 1);
  },
};
