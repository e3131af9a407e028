/** Where a Postgres store is, and how it is spoken to. */
export interface PostgresAddress {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: { readonly kind: 'none' } | PasswordText | PasswordFile;
  /** `disable` speaks in the clear, `require` trusts any certificate, `verify-ca` one that a known authority signed, `verify-full` only the host's own. */
  readonly tls: 'disable' | 'require' | 'verify-ca' | 'verify-full';
  /** A file with the authorities' certificates; null takes those of the system. */
  readonly rootCertificateFile: string | null;
}

interface PasswordText {
  readonly kind: 'text';
  readonly text: string;
}
/** Read with each connection, so that a changed password needs no restart. */
interface PasswordFile {
  readonly kind: 'file';
  readonly path: string;
}

/** For people and logs: without the password, and else whole, so that what is taken from there keeps its TLS. */
export function labelOf(address: PostgresAddress): string {
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  const place = `postgres://${encodeURIComponent(address.user)}@${host}:${address.port}/${encodeURIComponent(address.database)}`;
  if (address.tls === 'disable') return place;
  const file = address.rootCertificateFile?.split('/').map(encodeURIComponent).join('/');
  return `${place}?sslmode=${address.tls}${file === undefined ? '' : `&sslrootcert=${file}`}`;
}
