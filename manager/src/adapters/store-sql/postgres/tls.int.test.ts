import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { createSystemClock } from '../../system-clock.ts';
import { startPostgresServer } from '../testing/postgres-server.ts';
import type { PostgresAddress } from './address.ts';
import { openPostgresStore, StoreUnreachableError } from './open.ts';

const { server, skip } = await startPostgresServer({ ownContainer: true });
const DATA = '/var/lib/postgresql/data';

/** Gives the server a certificate of no authority, and for another name than 127.0.0.1; returns it. */
async function switchTlsOn(): Promise<string> {
  const docker = (...command: string[]) =>
    promisify(execFile)('docker', [
      'exec',
      '--user',
      'postgres',
      '--workdir',
      DATA,
      server!.container!,
      ...command,
    ]);
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=db.test'];
  await docker('openssl', ...request, '-keyout', 'server.key', '-out', 'server.crt');
  await server!.query('alter system set ssl = on');
  await server!.query('select pg_reload_conf()');
  return (await docker('cat', 'server.crt')).stdout;
}

describe('how a Postgres store is spoken to', { skip }, () => {
  let folder: string;
  let authority: string;
  let address: PostgresAddress;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dbox-tls-'));
    authority = join(folder, 'ca.pem');
    await writeFile(authority, await switchTlsOn());
    address = await server!.makeDatabase();
  });
  after(() => rm(folder, { recursive: true }));

  /** Whether the server saw the store come by TLS. */
  async function isEncrypted(changes: Partial<PostgresAddress>): Promise<boolean> {
    const at = { ...address, ...changes };
    const store = await openPostgresStore({ address: at, clock: createSystemClock(), headFile: null });
    try {
      const [row] = await server!.query(
        `select ssl from pg_stat_ssl join pg_stat_activity using (pid) where application_name like 'dbox-manager-%'`,
      );
      return row?.ssl === true;
    } finally {
      await store.close();
    }
  }
  const refused = (pattern: RegExp) => (error: unknown) =>
    error instanceof StoreUnreachableError && pattern.test(error.message) && /sslmode/.test(error.message);

  test('in the clear only where nothing else was asked for', async () => {
    assert.equal(await isEncrypted({ tls: 'disable' }), false);
    assert.equal(await isEncrypted({ tls: 'require' }), true);
    assert.equal(await isEncrypted({ tls: 'verify-ca', rootCertificateFile: authority }), true);
  });

  test('not at all where the certificate is not of a known authority, or of another name', async () => {
    await assert.rejects(isEncrypted({ tls: 'verify-full' }), refused(/self.signed/i));
    await assert.rejects(
      isEncrypted({ tls: 'verify-full', rootCertificateFile: authority }),
      refused(/does not match|not in the cert/i),
    );
  });

  test('not with a file of authorities that is not there', async () => {
    await assert.rejects(
      isEncrypted({ tls: 'verify-full', rootCertificateFile: join(folder, 'none.pem') }),
      (error) => error instanceof StoreUnreachableError && /none\.pem/.test(error.message),
    );
  });

  test('and what a person has to do is said: for a wrong password, and for a database that is not there', async () => {
    const say = (changes: Partial<PostgresAddress>) =>
      isEncrypted(changes).then(() => 'it was let in', String);
    assert.match(await say({ password: { kind: 'text', text: 'wrong' } }), /user and password are right/);
    assert.match(await say({ password: { kind: 'none' } }), /DBOX_STORE_PASSWORD_FILE/);
    assert.match(await say({ database: 'nowhere' }), /createdb -O postgres nowhere/);
    assert.match(await say({ password: { kind: 'file', path: join(folder, 'none') } }), /none/);
  });
});
