import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

/*
 * Run after `npm install`: adds to package-lock.json the optional packages of other platforms that a
 * registry or mirror did not serve. npm leaves them out and then refuses its own lock in `npm ci`.
 * They are never installed where `os` and `cpu` do not fit.
 */
const CPUS = ['arm64', 'x64', 'arm', 'ia32', 'ppc64', 'riscv64', 's390x', 'loong64'];
const SYSTEMS = ['android', 'darwin', 'linux', 'win32', 'freebsd', 'openharmony'];

interface LockedPackage {
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const file = resolve(import.meta.dirname, '../package-lock.json');
const lock = JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, LockedPackage | object> };
const added: string[] = [];
for (const [path, locked] of Object.entries(lock.packages)) {
  const { dev, optionalDependencies } = locked as LockedPackage;
  for (const [name, range] of Object.entries(optionalDependencies ?? {})) {
    if (lock.packages[`${path}/node_modules/${name}`] || lock.packages[`node_modules/${name}`]) continue;
    const words = name.split(/[-/]/);
    const system = SYSTEMS.find((one) => words.includes(one));
    if (!system) continue;
    const cpu = CPUS.find((one) => words.includes(one));
    lock.packages[`node_modules/${name}`] = {
      version: range.replace(/^[\^~]/, ''),
      ...(cpu ? { cpu: [cpu] } : {}),
      ...(dev ? { dev: true } : {}),
      ...(words.some((word) => word.startsWith('musl')) ? { libc: ['musl'] } : {}),
      optional: true,
      os: [system],
    };
    added.push(name);
  }
}
const { '': root, ...rest } = lock.packages;
const sorted = Object.entries(rest).sort(([a], [b]) => a.localeCompare(b, 'en'));
writeFileSync(
  file,
  `${JSON.stringify({ ...lock, packages: { '': root, ...Object.fromEntries(sorted) } }, null, 2)}\n`,
);
console.log(added.length === 0 ? 'the lock is complete' : `added: ${added.join(', ')}`);
