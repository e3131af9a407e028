import { mkdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RunningAgent } from './agent.ts';
import type { AgentConfig } from './config.ts';
import { AgentConfigError } from './config.ts';

/** Running jobs get ten seconds to end; past this the process ends all the same, and their leases run out. */
const STOP_LIMIT_MS = 15_000;
/** A health check that looks every few seconds must meet a file that is younger than its limit. */
const HEALTH_INTERVAL_MS = 3_000;

/** What a service adds to the agent's own options. */
export interface ServiceIdentity {
  readonly version: string;
  /** Each line of the service's own log, for the process' standard error. */
  readonly echo: (line: string) => void;
}

/**
 * An agent as a process of its own: reads its configuration, waits for the manager, ends in order on
 * SIGTERM or SIGINT. Crash-only: what nobody foresaw ends the process, and whoever started it starts
 * it again.
 */
export async function runService<C extends AgentConfig>(service: {
  readonly readConfig: () => C;
  readonly start: (config: C, identity: ServiceIdentity) => Promise<RunningAgent>;
}): Promise<void> {
  process.umask(0o077);
  process.on('uncaughtException', (error) => fail(error.stack ?? error.message));
  process.on('unhandledRejection', (reason) =>
    fail(reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)),
  );
  let agent: RunningAgent | null = null;
  let stopping = false;
  const stop = async () => {
    // Asked twice, somebody is in a hurry.
    if (stopping) process.exit(1);
    stopping = true;
    setTimeout(() => process.exit(1), STOP_LIMIT_MS).unref();
    await agent?.stop();
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop());
  process.on('SIGINT', () => void stop());

  try {
    const config = service.readConfig();
    await mkdir(config.stateDir, { recursive: true, mode: 0o700 });
    // What a former life left must not speak for this one.
    await rm(config.healthFile, { force: true });
    echo(`dbox: ${config.name} waits for the manager at ${config.managerUrl}`);
    agent = await service.start(config, { version: await readVersion(), echo });
    if (stopping) return;
    keepHealthFile(agent, config.healthFile);
  } catch (error) {
    fail(error instanceof AgentConfigError ? error.message : describe(error));
  }
}

/** The version of the checkout or image that this file lies in. */
export async function readVersion(): Promise<string> {
  const manifest = await readFile(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

/** Young while the manager answers this process, and so while this process is not stuck itself. */
function keepHealthFile(agent: RunningAgent, file: string): void {
  const look = async () => {
    const signal = AbortSignal.timeout(HEALTH_INTERVAL_MS);
    // Silence is what the file's age says.
    await agent.client.call('getHealth', { signal }).then(
      () => touch(file),
      () => undefined,
    );
    setTimeout(() => void look(), HEALTH_INTERVAL_MS);
  };
  void look();
}

async function touch(file: string): Promise<void> {
  const at = new Date();
  await utimes(file, at, at).catch(async () => {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, '');
  });
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function echo(line: string): void {
  process.stderr.write(`${line}\n`);
}

function fail(message: string): never {
  process.stderr.write(`dbox: ${message}\n`);
  process.exit(1);
}
