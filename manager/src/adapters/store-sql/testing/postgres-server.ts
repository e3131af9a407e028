import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after } from 'node:test';
import { promisify } from 'node:util';
import pg from 'pg';
import type { PostgresAddress } from '../postgres/address.ts';

const run = promisify(execFile);
const IMAGE = 'postgres:17';
const READY_LIMIT_MS = 60_000;

/** A real server for the tests of one file. */
export interface PostgresServer {
  readonly address: PostgresAddress;
  /** Null where the server was given, and is nobody's to stop. */
  readonly container: string | null;
  /** An empty database of its own. */
  makeDatabase(): Promise<PostgresAddress>;
  dropDatabase(address: PostgresAddress): Promise<void>;
  /** One statement by somebody else, in the server's own or the given database. */
  query(text: string, values?: unknown[], address?: PostgresAddress): Promise<Record<string, unknown>[]>;
}

export type ServerOrReason =
  | { readonly server: PostgresServer; readonly skip: false }
  | { readonly server: null; readonly skip: string };

/**
 * The server that DBOX_TEST_POSTGRES names (one where databases may be made), else a container that is
 * removed after the file. `skip` says why there is none; with DBOX_TEST_ENGINE=required that is a failure.
 */
export async function startPostgresServer(
  /** One that the test may stop and start again: it keeps its port and what it holds. */
  o: { readonly ownContainer?: boolean } = {},
): Promise<ServerOrReason> {
  const given = process.env.DBOX_TEST_POSTGRES;
  if (given && !o.ownContainer) {
    const url = new URL(given);
    return {
      skip: false,
      server: serverAt(null, {
        host: url.hostname,
        port: Number(url.port || 5432),
        database: decodeURIComponent(url.pathname.slice(1)) || 'postgres',
        user: decodeURIComponent(url.username),
        password: { kind: 'text', text: decodeURIComponent(url.password) },
        tls: 'disable',
        rootCertificateFile: null,
      }),
    };
  }
  const reason = await whyNoContainer();
  if (reason !== null) {
    if (process.env.DBOX_TEST_ENGINE === 'required') throw new Error(reason);
    return { server: null, skip: reason };
  }
  return { skip: false, server: await startContainer(o.ownContainer === true) };
}

/** As a person would write it, with its password. */
export function urlOf({ host, port, database, user, password }: PostgresAddress): string {
  const secret = password.kind === 'text' ? `:${encodeURIComponent(password.text)}` : '';
  return `postgres://${encodeURIComponent(user)}${secret}@${host}:${port}/${database}`;
}

async function whyNoContainer(): Promise<string | null> {
  try {
    const { stdout } = await run('docker', ['image', 'ls', '--quiet', IMAGE], { timeout: 20_000 });
    return stdout.trim() === '' ? `there is no image ${IMAGE} here` : null;
  } catch {
    return 'there is no container engine, and DBOX_TEST_POSTGRES names no server';
  }
}

async function startContainer(lasting: boolean): Promise<PostgresServer> {
  const container = `dbox-test-postgres-${randomBytes(5).toString('hex')}`;
  const password = randomBytes(12).toString('hex');
  after(() => run('docker', ['rm', '--force', '--volumes', container]));
  await run('docker', [
    ...['run', '--detach', '--name', container, '--label', 'dbox.test=postgres'],
    // In memory it is faster, and lost with a stop; so is a port that the engine chooses.
    ...(lasting ? [] : ['--tmpfs', '/var/lib/postgresql/data']),
    ...['--publish', `127.0.0.1:${lasting ? await freePort() : ''}:5432`],
    ...['--env', `POSTGRES_PASSWORD=${password}`, '--stop-timeout', '1', IMAGE],
  ]);
  const { stdout } = await run('docker', ['port', container, '5432/tcp']);
  const port = Number(/:(\d+)\s*$/m.exec(stdout)?.[1]);
  const server = serverAt(container, {
    host: '127.0.0.1',
    port,
    database: 'postgres',
    user: 'postgres',
    password: { kind: 'text', text: password },
    tls: 'disable',
    rootCertificateFile: null,
  });
  await awaitReady(server);
  return server;
}

async function freePort(): Promise<number> {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };
  taken.close();
  await once(taken, 'close');
  return port;
}

/** It takes no TCP while it sets itself up, so the first answer is that of the real server. */
async function awaitReady(server: PostgresServer): Promise<void> {
  const limitMs = performance.now() + READY_LIMIT_MS;
  for (;;) {
    try {
      await server.query('select 1');
      return;
    } catch (error) {
      if (performance.now() > limitMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function serverAt(container: string | null, address: PostgresAddress): PostgresServer {
  const query: PostgresServer['query'] = async (text, values = [], at = address) => {
    const client = new pg.Client({
      ...{ host: at.host, port: at.port, database: at.database, user: at.user, ssl: false },
      ...{ connectionTimeoutMillis: 5_000, password: at.password.kind === 'text' ? at.password.text : '' },
    });
    client.on('error', () => {});
    try {
      await client.connect();
      return (await client.query(text, values)).rows as Record<string, unknown>[];
    } finally {
      await client.end();
    }
  };
  return {
    address,
    container,
    query,
    async makeDatabase() {
      const database = `dbox_test_${randomBytes(5).toString('hex')}`;
      await query(`create database ${database}`);
      return { ...address, database };
    },
    async dropDatabase({ database }) {
      await query(`drop database if exists ${database} with (force)`);
    },
  };
}
