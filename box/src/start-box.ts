import { readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { startCodingAgent } from '@dbox/agent-coding';
import { createProcessTarget, startDeploymentAgent } from '@dbox/agent-deployment';
import { startMonitoringAgent } from '@dbox/agent-monitoring';
import { startTestingAgent } from '@dbox/agent-testing';
import { readTlsPair, startGateway } from '@dbox/gateway';
import { startManager } from '@dbox/manager';
import { findToolchain, openSandbox } from '@dbox/sandbox';
import type { BoxConfig } from './config.ts';
import { makeRuntimeDir } from './runtime-dir.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** Coders mostly wait; two or three at once keep one project's independent tasks moving. */
const CODING_CAPACITY = 4;
/** Tests and releases are the machine's own work. */
const TESTING_CAPACITY = 2;
const DEPLOYMENT_CAPACITY = 4;

export interface RunningBox {
  readonly url: string;
  readonly version: string;
  stop(): Promise<void>;
}

interface Part {
  stop(): Promise<void>;
}

/** Manager, gateway and the four agents in this process; the agents know the manager by HTTP alone. */
export async function startBox(config: BoxConfig): Promise<RunningBox> {
  const version = await readVersion();
  const { workspace } = config.manager;
  const manager = await startManager({
    config: config.manager,
    version,
    mode: 'process',
    templatesDir: join(ROOT, 'templates'),
    say: (line) => console.error(`dbox: ${line}`),
  });
  // Later parts stop first, so that each can still say goodbye to those it depends on.
  const parts: Part[] = [manager];
  const stop = async () => {
    let failure: unknown = null;
    for (const part of parts.splice(0).reverse()) {
      // The others are stopped all the same: above all the store is closed.
      await part.stop().catch((error: unknown) => {
        failure ??= error;
      });
    }
    if (failure !== null) throw failure;
  };
  try {
    await makeRuntimeDir(config.runtimeDir);
    parts.push({ stop: () => rm(config.runtimeDir, { recursive: true, force: true }) });
    const toolchain = await findToolchain();
    const sandbox = await openSandbox({
      toolchain,
      allowNone: config.allowUnsandboxed,
      runMarker: `${config.marker}-run`,
    });
    if (sandbox.missing) manager.warn('sandbox', sandbox.missing);
    const token = (role: Parameters<typeof manager.tokens.get>[0]) => manager.tokens.get(role)!;
    const common = { managerUrl: manager.url, version };
    const agent = (kind: 'coding' | 'testing' | 'deployment' | 'monitoring') => ({
      ...common,
      token: token(`agent:${kind}`),
      name: `${kind}-1`,
      stateDir: join(workspace, 'agents', kind),
    });
    const gateway = await startGateway({
      managerUrl: manager.url,
      token: token('gateway'),
      stateFile: join(workspace, 'gateway.json'),
      host: config.manager.host,
      tls: readTlsPair(config.manager.tls?.certFile, config.manager.tls?.keyFile),
      warn: (message, data) => manager.log('gateway', 'warn', message, data),
    });
    parts.push(gateway);
    const isolation = { sandbox, allowUnsandboxed: config.allowUnsandboxed };
    const agents = await Promise.allSettled([
      startCodingAgent({
        ...agent('coding'),
        capacity: CODING_CAPACITY,
        templatesDir: join(ROOT, 'templates'),
      }),
      startTestingAgent({ ...agent('testing'), ...isolation, capacity: TESTING_CAPACITY }),
      startDeploymentAgent({
        ...agent('deployment'),
        capacity: DEPLOYMENT_CAPACITY,
        target: createProcessTarget({
          ...isolation,
          dataDir: join(workspace, 'data'),
          runtimeDir: config.runtimeDir,
        }),
        boxMarker: config.marker,
        readyTimeoutMs: config.readyTimeoutMs,
      }),
      startMonitoringAgent({ ...agent('monitoring'), probeHost: new URL(manager.url).hostname }),
    ]);
    for (const started of agents) if (started.status === 'fulfilled') parts.push(started.value);
    for (const started of agents) if (started.status === 'rejected') throw started.reason;
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: manager.url, version, stop };
}

async function readVersion(): Promise<string> {
  const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  return manifest.version;
}
