import type { Event } from '@dbox/contracts';
import type { Box } from '../../box.ts';
import { until } from '../../box.ts';
import type { Scenario } from '../../scenario.ts';
import { DOCKER, stackOf } from '../../scenario.ts';
import type { Service } from '../../stack.ts';
import { allHealthy, assertDelivered, happened, STACK_LEASES, submit } from './story-under-faults.ts';

/** Each service is hit while the story needs it most: right after this event. */
const MOMENTS: Readonly<Record<Service, Event['type']>> = {
  'coding-agent': 'task.assigned',
  'testing-agent': 'task.complete',
  'deployment-agent': 'release.building',
  'monitoring-agent': 'task.verified',
  'task-store': 'commit.received',
  gateway: 'release.starting',
  manager: 'job.progress',
};

export const serviceKills: readonly Scenario[] = Object.entries(MOMENTS).map(([service, moment]) => ({
  name: `kill -9 of ${service} in mid-story: it comes back, the story is delivered, nothing twice, no orphan`,
  modes: DOCKER,
  stack: 'kills',
  env: STACK_LEASES,
  async run(box) {
    await box.ok(['up']);
    const name = `kill-${service}`;
    const before = await stackOf(box).service(service as Service);
    await submit(box, name);
    await happened(box, name, moment);
    await stackOf(box).crash(before);
    await assertDelivered(box, name, `kill -9 of ${service}`);
    await comesBack(box, service as Service, before.RestartCount);
    await allHealthy(box);
  },
}));

async function comesBack(box: Box, service: Service, restarts: number): Promise<void> {
  await until(`${service} was started again`, async () => {
    const now = await stackOf(box).service(service);
    return now.State.Running && now.RestartCount > restarts;
  });
}
