import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import { createEngine, type Engine } from '../../../engine/engine.ts';
import { SOCKET } from '../../../engine/testing/find-engine.ts';
import { type ContainerTargetOptions, createContainerTarget } from '../container-target.ts';

export interface ContainerBench {
  readonly box: string;
  readonly engine: Engine;
  readonly network: string;
  readonly options: ContainerTargetOptions;
  /** The target as another life of the agent would open it. */
  readonly open: (more?: Partial<ContainerTargetOptions>) => ReturnType<typeof createContainerTarget>;
}

const opened = new Map<TestContext, Promise<ContainerBench>>();

/** A box of its own on the real engine for one test; nothing of it is left afterwards. */
export function openContainerBench(t: TestContext): Promise<ContainerBench> {
  let bench = opened.get(t);
  if (!bench) {
    bench = open(t);
    opened.set(t, bench);
  }
  return bench;
}

async function open(t: TestContext): Promise<ContainerBench> {
  const box = `containers-${randomBytes(4).toString('hex')}`;
  const engine = createEngine({ socketPath: SOCKET, box });
  const network = `${box}-dev`;
  t.after(async () => {
    for (const { Id } of await engine.listContainers()) await engine.removeContainer(Id);
    for (const { Name } of await engine.listVolumes()) await engine.removeVolume(Name);
    for (const { Id } of await engine.listImages()) await engine.removeImage(Id);
    for (const { Name } of await engine.listNetworks()) await engine.removeNetwork(Name);
  });
  // With an address of the host on it, which the tests themselves are.
  await engine.createInternalNetwork(network, {}, { isReachableFromHost: true });
  const options = { box, socketPath: SOCKET, network, reach: 'address', npmrcFile: null } as const;
  return { box, engine, network, options, open: (more) => createContainerTarget({ ...options, ...more }) };
}
