import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { findToolchain, openSandbox, type Sandbox } from '../index.ts';
import type { Target } from './hostile-job.ts';

/*
 * Plays an agent in a container: holds a token, a canary in its environment, another job's tree, a
 * manager and an engine within its reach, and gives a hostile job to the sandbox. Prints what
 * the sandbox is and what the job got done with it and, as a control, without.
 */
export interface AgentReport {
  readonly kind: Sandbox['kind'];
  readonly missing: string | null;
  readonly sandboxed: Readonly<Record<string, string>> | null;
  readonly control: Readonly<Record<string, string>>;
}

const PORT = 4010;
const STATE = process.env.DBOX_STATE_DIR ?? '/var/lib/dbox';

async function main(): Promise<void> {
  const target: Target = {
    tokenFile: join(STATE, 'token'),
    otherTree: join(STATE, 'jobs', 'other'),
    canary: process.env.DBOX_CANARY ?? 'no canary was given',
    managers: ['127.0.0.1', ...ownAddresses()].map((address) => `${address}:${PORT}`),
    engineSocket: '/run/docker.sock',
  };
  const tree = join(STATE, 'jobs', 'own');
  await mkdir(tree, { recursive: true });
  await mkdir(target.otherTree, { recursive: true });
  await writeFile(target.tokenFile, 'dbox_agent_token', { mode: 0o600 });
  await writeFile(join(target.otherTree, 'source'), 'of another');
  const servers = [createServer(), createServer()];
  await new Promise<void>((resolve) => servers[0]?.listen(PORT, '0.0.0.0', resolve));
  await new Promise<void>((resolve) => servers[1]?.listen(target.engineSocket, resolve));

  const toolchain = await findToolchain();
  const sandbox = await openSandbox({ toolchain });
  const none = await openSandbox({ toolchain, allowNone: true });
  const report: AgentReport = {
    kind: sandbox.kind,
    missing: sandbox.missing,
    sandboxed: sandbox.kind === 'none' ? null : await attack(sandbox, tree, target),
    control: await attack(none, tree, target),
  };
  for (const server of servers) server.close();
  console.log(JSON.stringify(report));
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) =>
    (addresses ?? []).filter((one) => one.family === 'IPv4' && !one.internal).map((one) => one.address),
  );
}

async function attack(sandbox: Sandbox, tree: string, target: Target): Promise<Record<string, string>> {
  const job = { host: join(import.meta.dirname, 'hostile-job.ts'), inside: '/job/hostile-job.ts' };
  const ended = await sandbox.run({
    run: `node --no-warnings ${sandbox.pathOf(job)} '${JSON.stringify(target)}'`,
    tree,
    readable: [job],
    env: {},
    network: 'none',
    limits: {
      timeoutMs: 60_000,
      memoryMb: 512,
      processes: 64,
      headBytes: 16_384,
      tailBytes: 16_384,
      fileSizeMb: 8,
    },
  });
  try {
    return JSON.parse(ended.head) as Record<string, string>;
  } catch {
    throw new Error(`the job ended with ${ended.detail} and printed: ${ended.head}${ended.tail}`);
  }
}

await main();
