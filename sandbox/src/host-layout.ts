import { lstat, readlink, realpath } from 'node:fs/promises';

/** What of the host's system directories is shown inside, read-only. */
export interface HostLayout {
  readonly directories: readonly string[];
  readonly links: readonly { readonly path: string; readonly target: string }[];
  /** Files of /etc by the path to show them under; `host` is where a chain of links ends. */
  readonly settings: readonly { readonly host: string; readonly inside: string }[];
  /** Only for commands with the host's network: how names are resolved. */
  readonly resolving: readonly { readonly host: string; readonly inside: string }[];
}

const SYSTEM = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];
/** What programs need to load libraries, trust certificates and know the time; nothing that tells of the host's people or services. */
const SETTINGS = [
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'ld-musl-x86_64.path',
  'alternatives',
  // Not all of ssl and pki: they also hold the host's private keys, which root's own uid may read.
  'ssl/certs',
  'ssl/cert.pem',
  'ssl/openssl.cnf',
  'ca-certificates',
  'pki/tls/certs',
  'pki/tls/cert.pem',
  'pki/tls/openssl.cnf',
  'pki/ca-trust',
  'crypto-policies',
  'localtime',
  'timezone',
  'mime.types',
  'os-release',
  'debian_version',
  'protocols',
  'services',
  'fonts',
];
const RESOLVING = ['resolv.conf', 'hosts', 'gai.conf'];

export async function readHostLayout(): Promise<HostLayout> {
  const directories: string[] = [];
  const links: { path: string; target: string }[] = [];
  for (const path of SYSTEM) {
    const entry = await lstat(path).catch(() => null);
    if (entry?.isSymbolicLink()) links.push({ path, target: await readlink(path) });
    else if (entry?.isDirectory()) directories.push(path);
  }
  return { directories, links, settings: await findInEtc(SETTINGS), resolving: await findInEtc(RESOLVING) };
}

async function findInEtc(names: readonly string[]): Promise<{ host: string; inside: string }[]> {
  const entries: { host: string; inside: string }[] = [];
  for (const name of names) {
    const inside = `/etc/${name}`;
    const host = await realpath(inside).catch(() => null);
    if (host !== null) entries.push({ host, inside });
  }
  return entries;
}
