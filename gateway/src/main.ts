import { mkdir, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createClient } from '@dbox/contracts';
import { type GatewayConfig, GatewayConfigError, readGatewayConfig } from './config.ts';
import { type Gateway, startGateway } from './start-gateway.ts';

/** Past this a stop is forced. */
const STOP_LIMIT_MS = 10_000;
const HEALTH_INTERVAL_MS = 3_000;

/** The gateway as a process of its own. Crash-only: whoever started it starts it again. */
async function main(): Promise<void> {
  process.umask(0o077);
  let gateway: Gateway | null = null;
  let stopping = false;
  const stop = async () => {
    if (stopping) process.exit(1);
    stopping = true;
    setTimeout(() => process.exit(1), STOP_LIMIT_MS).unref();
    await gateway?.stop();
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop());
  process.on('SIGINT', () => void stop());
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);

  try {
    const config = readGatewayConfig();
    await mkdir(dirname(config.stateFile), { recursive: true });
    // What a former life left must not speak for this one.
    await rm(config.healthFile, { force: true });
    gateway = await startGateway({ ...config, warn: (message, data) => say('warn', message, data) });
    say('info', 'the gateway has started', { managerUrl: config.managerUrl });
    keepHealthFile(config);
  } catch (error) {
    fail(error);
  }
}

/** Young while the manager answers this process. Sites are served without it too. */
function keepHealthFile({ managerUrl, token, healthFile }: GatewayConfig): void {
  const client = createClient({ baseUrl: managerUrl, token });
  const look = async () => {
    // Silence is what the file's age says.
    await client.call('getHealth', { signal: AbortSignal.timeout(HEALTH_INTERVAL_MS) }).then(
      async () => {
        const at = new Date();
        await utimes(healthFile, at, at).catch(() => writeFile(healthFile, ''));
      },
      () => undefined,
    );
    setTimeout(() => void look(), HEALTH_INTERVAL_MS);
  };
  void look();
}

function say(level: 'info' | 'warn', message: string, data: object): void {
  process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), level, message, ...data })}\n`);
}

function fail(error: unknown): never {
  const text =
    error instanceof GatewayConfigError
      ? error.message
      : error instanceof Error
        ? (error.stack ?? error.message)
        : String(error);
  process.stderr.write(`dbox: ${text}\n`);
  process.exit(1);
}

await main();
