import { ConfigError, StoreHeldError, StoreTooNewError, StoreUnreachableError } from '@dbox/manager';
import { readBoxFile, removeBoxFile, writeBoxFile } from './box-file.ts';
import type { BoxConfig } from './config.ts';
import { readBoxConfig, USAGE } from './config.ts';
import type { RunningBox } from './start-box.ts';
import { startBox } from './start-box.ts';

/** Past this a stop is forced: whatever is left resumes at the next start anyway. */
const STOP_LIMIT_MS = 15_000;

async function main(): Promise<void> {
  // Sources, logs and the store are the owner's business alone, whatever the shell's umask was.
  process.umask(0o077);
  const config = readConfigOrExit();
  const { workspace } = config.manager;
  let box: RunningBox | null = null;
  let stopping = false;
  const stop = async (code: number) => {
    if (stopping) process.exit(1);
    stopping = true;
    setTimeout(() => process.exit(1), STOP_LIMIT_MS).unref();
    if (box) await removeBoxFile(workspace);
    await box?.stop();
    process.exit(code);
  };
  process.on('SIGTERM', () => void stop(0));
  process.on('SIGINT', () => void stop(0));
  // Crash-only: state that nobody foresaw is left behind, and the next start resumes from the store.
  process.on('uncaughtException', (error) => fail(error.stack ?? error.message));
  process.on('unhandledRejection', (reason) =>
    fail(reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)),
  );

  try {
    box = await startBox(config);
  } catch (error) {
    fail(await explain(error, config));
  }
  if (stopping) return;
  await writeBoxFile(workspace, {
    pid: process.pid,
    url: box!.url,
    version: box!.version,
    mode: 'process',
    startedAt: new Date().toISOString(),
    gatewayPort: config.manager.firstGatewayPort,
  });
  console.error(`dbox: the box is up at ${box!.url} (process ${process.pid}, workspace ${workspace})`);
}

function readConfigOrExit(): BoxConfig {
  try {
    return readBoxConfig(process.argv.slice(2), process.env);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    fail(error instanceof ConfigError ? message : `${message}\n${USAGE}`);
  }
}

async function explain(error: unknown, config: BoxConfig): Promise<string> {
  // Another workspace's box may be the one; the message says what is known of it.
  if (error instanceof StoreHeldError && config.manager.store !== null) return error.message;
  if (error instanceof StoreHeldError) {
    const holder = await readBoxFile(config.manager.workspace);
    const who = holder ? `process ${holder.pid} (${holder.url})` : 'another process that is just starting';
    return `the workspace ${config.manager.workspace} is held by ${who}; use that box, stop it with \`dbox down\`, or choose another workspace with DBOX_WORKSPACE`;
  }
  const forPeople = [ConfigError, StoreTooNewError, StoreUnreachableError];
  if (forPeople.some((kind) => error instanceof kind)) return (error as Error).message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function fail(message: string): never {
  console.error(`dbox: ${message}`);
  process.exit(1);
}

await main();
