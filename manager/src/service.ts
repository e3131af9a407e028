import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { StoreHeldError } from './adapters/store-sql/index.ts';
import type { ManagerConfig } from './config.ts';
import { ConfigError, readConfig } from './config.ts';
import type { RunningManager } from './main.ts';
import { startManager } from './main.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** Past this a stop is forced: whatever is left resumes at the next start anyway. */
const STOP_LIMIT_MS = 15_000;

/** The manager as a process of its own. Crash-only: whoever started it starts it again. */
async function main(): Promise<void> {
  process.umask(0o077);
  let manager: RunningManager | null = null;
  let stopping = false;
  const stop = async () => {
    if (stopping) process.exit(1);
    stopping = true;
    setTimeout(() => process.exit(1), STOP_LIMIT_MS).unref();
    await manager?.stop();
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop());
  process.on('SIGINT', () => void stop());
  process.on('uncaughtException', (error) => fail(error));
  process.on('unhandledRejection', (reason) => fail(reason));

  let config: ManagerConfig;
  try {
    config = readConfig(process.env);
    manager = await startManager({
      config,
      version: await readVersion(),
      mode: 'docker',
      templatesDir: join(ROOT, 'templates'),
    });
  } catch (error) {
    fail(error);
  }
  if (!stopping) process.stderr.write(`dbox: the manager listens on ${manager.url}\n`);
}

async function readVersion(): Promise<string> {
  const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  return manifest.version;
}

function fail(error: unknown): never {
  const isExpected = error instanceof ConfigError || error instanceof StoreHeldError;
  const text = !(error instanceof Error) ? String(error) : isExpected ? error.message : error.stack;
  process.stderr.write(`dbox: ${text ?? String(error)}\n`);
  process.exit(1);
}

await main();
