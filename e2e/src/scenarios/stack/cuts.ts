import type { Event } from '@dbox/contracts';
import type { Scenario } from '../../scenario.ts';
import { DOCKER, stackOf } from '../../scenario.ts';
import { cutOff } from '../../soak/stack-killer.ts';
import type { Service } from '../../stack.ts';
import { allHealthy, assertDelivered, happened, submit } from './story-under-faults.ts';

interface Cut {
  readonly service: Service;
  readonly after: Event['type'];
  readonly seconds: number;
}

/** Shorter than a lease, the job goes on; longer, it is handed on, and what the cut-off agent did is refused. */
const CUTS: readonly Cut[] = [
  { service: 'testing-agent', after: 'task.complete', seconds: 10 },
  { service: 'deployment-agent', after: 'task.verified', seconds: 60 },
];

export const cuts: readonly Scenario[] = CUTS.map(({ service, after, seconds }) => ({
  name: `a cut of ${seconds} s between ${service} and the manager: the story is delivered all the same`,
  modes: DOCKER,
  stack: 'cuts',
  async run(box) {
    await box.ok(['up']);
    const name = `cut-${service}`;
    await submit(box, name);
    await happened(box, name, after);
    // The length of the cut is what is tried here.
    await cutOff(stackOf(box), service, seconds * 1_000);
    await assertDelivered(box, name, `a cut of ${seconds} s`);
    await allHealthy(box);
  },
}));
