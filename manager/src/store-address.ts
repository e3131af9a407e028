import { isAbsolute, resolve } from 'node:path';
import type { PostgresAddress } from './adapters/store-sql/index.ts';
import { ConfigError } from './config-error.ts';

const EXAMPLE = 'postgres://dbox@127.0.0.1:5432/dbox';
const TLS_MODES = ['disable', 'require', 'verify-ca', 'verify-full'] as const;

/**
 * `DBOX_STORE`; null is the SQLite file of the workspace. What it does not know it refuses, rather than
 * speak in another way than was meant. No message repeats the address: it may hold a password.
 */
export function parseStoreAddress(
  text: string | undefined,
  passwordFile: string | undefined,
): PostgresAddress | null {
  if (!text) {
    if (passwordFile)
      throw new ConfigError('DBOX_STORE_PASSWORD_FILE is set, but DBOX_STORE names no Postgres');
    return null;
  }
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) {
    throw new ConfigError(
      `DBOX_STORE is no address of a Postgres; write one such as ${EXAMPLE}, or leave it empty`,
    );
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const user = decode(url.username, 'user');
  const database = decode(url.pathname.slice(1), 'database');
  if (host === '' || user === '' || database === '' || database.includes('/')) {
    throw new ConfigError(`DBOX_STORE must name user, host and database, such as ${EXAMPLE}`);
  }
  const password = decode(url.password, 'password');
  if (password !== '' && passwordFile) {
    throw new ConfigError(
      'the password is both in DBOX_STORE and in DBOX_STORE_PASSWORD_FILE; keep one of them',
    );
  }
  return {
    host: decode(host, 'host'),
    port: url.port === '' ? 5432 : Number(url.port),
    database,
    user,
    password: passwordFile
      ? { kind: 'file', path: isAbsolute(passwordFile) ? passwordFile : resolve(passwordFile) }
      : password === ''
        ? { kind: 'none' }
        : { kind: 'text', text: password },
    ...readTls(url.searchParams),
  };
}

function readTls(parameters: URLSearchParams): Pick<PostgresAddress, 'tls' | 'rootCertificateFile'> {
  for (const name of parameters.keys()) {
    if (name !== 'sslmode' && name !== 'sslrootcert') {
      throw new ConfigError(`DBOX_STORE has the parameter "${name}"; only sslmode and sslrootcert are known`);
    }
  }
  const mode = parameters.get('sslmode') ?? 'disable';
  const tls = TLS_MODES.find((known) => known === mode);
  if (tls === undefined) {
    // `allow` and `prefer` go on in the clear when somebody on the way wants that.
    throw new ConfigError(`sslmode in DBOX_STORE is "${mode}"; write one of ${TLS_MODES.join(', ')}`);
  }
  const file = parameters.get('sslrootcert');
  if (file !== null && !isAbsolute(file)) {
    throw new ConfigError('sslrootcert in DBOX_STORE must be an absolute path');
  }
  if (file !== null && !tls.startsWith('verify')) {
    throw new ConfigError('sslrootcert in DBOX_STORE needs sslmode=verify-full or verify-ca');
  }
  return { tls, rootCertificateFile: file };
}

function decode(part: string, what: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new ConfigError(`the ${what} in DBOX_STORE is not percent-encoded as it must be; write % as %25`);
  }
}

/** Whether what is said to the store can be read on the way: a name without a dot is on this machine's own network. */
export function speaksInTheClear({ host, tls }: Pick<PostgresAddress, 'host' | 'tls'>): boolean {
  if (tls !== 'disable') return false;
  return !(host === '::1' || /^127\./.test(host) || !/[.:]/.test(host));
}
