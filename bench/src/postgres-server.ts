import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import pg from 'pg';

const run = promisify(execFile);
const READY_LIMIT_MS = 60_000;

export interface BenchServer {
  /** The address of a new, empty database. */
  makeDatabase(): Promise<string>;
  stop(): Promise<void>;
}

/** A Postgres that writes to the disk, as a real one does; null where there is no engine to run it in. */
export async function startPostgres(): Promise<BenchServer | null> {
  const name = `dbox-bench-postgres-${randomBytes(4).toString('hex')}`;
  const password = randomBytes(12).toString('hex');
  try {
    await run('docker', [
      ...['run', '--detach', '--rm', '--name', name, '--publish', '127.0.0.1::5432'],
      ...['--env', `POSTGRES_PASSWORD=${password}`, '--pull', 'never', 'postgres:17'],
    ]);
  } catch {
    return null;
  }
  const stop = async () => void (await run('docker', ['rm', '--force', '--volumes', name]));
  try {
    const { stdout } = await run('docker', ['port', name, '5432/tcp']);
    const port = /:(\d+)\s*$/m.exec(stdout)![1];
    const addressOf = (database: string) => `postgres://postgres:${password}@127.0.0.1:${port}/${database}`;
    await awaitReady(addressOf('postgres'));
    return {
      stop,
      async makeDatabase() {
        const database = `bench_${randomBytes(4).toString('hex')}`;
        await query(addressOf('postgres'), `create database ${database}`);
        return addressOf(database);
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function query(address: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: address });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query(text);
  } finally {
    await client.end();
  }
}

async function awaitReady(address: string): Promise<void> {
  const limitMs = performance.now() + READY_LIMIT_MS;
  for (;;) {
    try {
      return await query(address, 'select 1');
    } catch (error) {
      if (performance.now() > limitMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
