import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../box.ts';
import type { Service, Stack } from '../stack.ts';
import { docker, SERVICES } from '../stack.ts';
import type { SeededRandom } from './seeded-random.ts';

export interface StackKillCounts {
  readonly killed: Record<Service, number>;
  releasesKilled: number;
  frozen: number;
  cut: number;
  /** Until the killed service ran again. */
  readonly recoveriesMs: number[];
}

/** Those whose way to the manager can be cut without taking their published ports away. */
const CUT_OFF: readonly Service[] = ['coding-agent', 'testing-agent', 'deployment-agent', 'monitoring-agent'];
const BACK_WITHIN_MS = 60_000;

/** Kills, freezes and cuts off containers of the stack at random moments until the deadline. */
export async function killStackAtRandom(o: {
  readonly stack: Stack;
  readonly random: SeededRandom;
  readonly deadlineMs: number;
  readonly leaseMs: number;
  readonly onAct: (what: string) => void;
}): Promise<StackKillCounts> {
  const { stack, random, onAct } = o;
  const counts: StackKillCounts = {
    killed: Object.fromEntries(SERVICES.map((service) => [service, 0])) as Record<Service, number>,
    releasesKilled: 0,
    frozen: 0,
    cut: 0,
    recoveriesMs: [],
  };
  const pickService = () => random.pick(SERVICES.map((service) => [1, service] as const));
  for (;;) {
    await sleep(random.chance(0.7) ? random.between(500, 6_000) : random.between(6_000, 15_000));
    if (Date.now() > o.deadlineMs) return counts;
    const act = random.pick([
      [55, 'kill'],
      [15, 'kill a release'],
      [15, 'freeze'],
      [15, 'cut'],
    ] as const);
    const service = pickService();
    const lengthMs = random.between(0.5, 2) * o.leaseMs;
    if (act === 'kill') {
      onAct(`kill ${service}`);
      const startedMs = Date.now();
      await stack.crash(await stack.service(service));
      await until(
        `${service} runs again`,
        async () => (await stack.service(service)).State.Running,
        BACK_WITHIN_MS,
      );
      counts.killed[service] += 1;
      counts.recoveriesMs.push(Date.now() - startedMs);
    } else if (act === 'kill a release') {
      const running = (await stack.releases()).filter(({ State }) => State.Running);
      if (running.length === 0) continue;
      const release = random.pick(running.map((one) => [1, one] as const));
      onAct(`kill the release ${release.Name}`);
      await stack.crash(release);
      counts.releasesKilled += 1;
    } else if (act === 'freeze') {
      onAct(`freeze ${service}`);
      await pauseFor(stack, service, lengthMs);
      counts.frozen += 1;
    } else {
      const away = random.pick(CUT_OFF.map((one) => [1, one] as const));
      onAct(`cut ${away} off`);
      await cutOff(stack, away, lengthMs);
      counts.cut += 1;
    }
  }
}

/** As a machine that has no time does: the process stands still, its connections stay. */
async function pauseFor(stack: Stack, service: Service, forMs: number): Promise<void> {
  const { Id } = await stack.service(service);
  await docker(['pause', Id]);
  try {
    await sleep(forMs);
  } finally {
    await docker(['unpause', Id]);
  }
}

/** Takes the service away from the network on which it reaches the manager, for a while. */
export async function cutOff(stack: Stack, service: Service, forMs: number): Promise<void> {
  const { Id } = await stack.service(service);
  const network = stack.networkName('control');
  await docker(['network', 'disconnect', '--force', network, Id]);
  try {
    await sleep(forMs);
  } finally {
    await docker(['network', 'connect', '--alias', service, network, Id]);
  }
}
