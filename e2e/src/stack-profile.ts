import { createHash } from 'node:crypto';
import type { Inspected } from './stack.ts';

/** What one container may do, without what differs from box to box. */
export interface StackProfile {
  readonly image: string;
  readonly user: 'root' | 'not root' | 'its image’s';
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly securityOptions: readonly string[];
  readonly privileged: boolean;
  readonly readOnlyRoot: boolean;
  readonly init: boolean;
  readonly pidsLimit: number | null;
  readonly memoryMb: number | null;
  readonly cpus: number | null;
  readonly restart: string;
  readonly hasHealthCheck: boolean;
  readonly logLimit: string | null;
  readonly hostNamespaces: readonly string[];
  readonly devices: number;
  readonly networks: readonly string[];
  readonly published: { readonly addresses: readonly string[]; readonly ports: number } | null;
  /** `type source:destination`, read-only where nothing else is said. */
  readonly mounts: readonly string[];
  readonly tmpfs: Readonly<Record<string, string>>;
  readonly environment: readonly string[];
  readonly labels: readonly string[];
}

interface HostConfig {
  readonly CapAdd: readonly string[] | null;
  readonly CapDrop: readonly string[] | null;
  readonly SecurityOpt: readonly string[] | null;
  readonly Privileged: boolean;
  readonly ReadonlyRootfs: boolean;
  readonly Init: boolean | null;
  readonly PidsLimit: number | null;
  readonly Memory: number;
  readonly NanoCpus: number;
  readonly RestartPolicy: { readonly Name: string };
  readonly LogConfig: { readonly Type: string; readonly Config: Readonly<Record<string, string>> };
  readonly NetworkMode: string;
  readonly PidMode: string;
  readonly IpcMode: string;
  readonly UTSMode: string;
  readonly UsernsMode: string;
  readonly Devices: readonly unknown[] | null;
  readonly PortBindings: Readonly<Record<string, readonly { readonly HostIp: string }[] | null>> | null;
  readonly Tmpfs: Readonly<Record<string, string>> | null;
}

/** Variables of public images, which come and go with their makers. */
const OF_BASE_IMAGES = /^(PATH|LANG|LC_ALL|NODE_(?!ENV$).*|YARN_.*|PG.*|GOSU.*)$/;

/** The service's name, or `release` for whatever the deployment agent started. */
export function serviceOf({ Config }: Inspected): string {
  return Config.Labels['com.docker.compose.service'] ?? 'release';
}

export function profileOf(container: Inspected, boxName: string): StackProfile {
  const host = container.HostConfig as unknown as HostConfig;
  const bindings = Object.values(host.PortBindings ?? {}).flatMap((one) => one ?? []);
  return {
    image: imageName(container.Config.Image, boxName),
    user: userOf(container.Config.User),
    capAdd: capabilities(host.CapAdd),
    capDrop: capabilities(host.CapDrop),
    securityOptions: (host.SecurityOpt ?? []).map(securityOption).sort(),
    privileged: host.Privileged,
    readOnlyRoot: host.ReadonlyRootfs,
    init: host.Init === true,
    pidsLimit: host.PidsLimit !== null && host.PidsLimit > 0 ? host.PidsLimit : null,
    memoryMb: host.Memory > 0 ? host.Memory / 1024 / 1024 : null,
    cpus: host.NanoCpus > 0 ? host.NanoCpus / 1e9 : null,
    restart: host.RestartPolicy.Name,
    hasHealthCheck: (container.Config.Healthcheck?.Test[0] ?? 'NONE') !== 'NONE',
    logLimit: logLimit(host.LogConfig),
    hostNamespaces: hostNamespaces(host),
    devices: host.Devices?.length ?? 0,
    networks: Object.keys(container.NetworkSettings.Networks)
      .map((name) => name.replace(`${boxName}_`, ''))
      .sort(),
    published:
      bindings.length === 0
        ? null
        : { addresses: [...new Set(bindings.map((one) => one.HostIp))].sort(), ports: bindings.length },
    mounts: container.Mounts.map((mount) => mountLine(mount, boxName)).sort(),
    tmpfs: host.Tmpfs ?? {},
    environment: (container.Config.Env ?? [])
      .map((entry) => entry.split('=')[0]!)
      .filter((name) => !OF_BASE_IMAGES.test(name))
      .sort(),
    labels: Object.keys(container.Config.Labels)
      .filter((name) => name.startsWith('dbox.') && !name.startsWith('dbox.engine.'))
      .sort(),
  };
}

/** One made for a box carries its name; one made for a release, that of its commit. */
function imageName(image: string, boxName: string): string {
  const name = image.replace(boxName, 'BOX').replace(/@?sha256:[0-9a-f]+$/, 'sha256');
  return name.replace(/:[0-9a-f]{7,64}$/, ':COMMIT');
}

function userOf(user: string): StackProfile['user'] {
  if (user === '') return 'its image’s';
  return /^(0|root)(:|$)/.test(user) ? 'root' : 'not root';
}

/** Engines write them with and without their prefix. */
function capabilities(names: readonly string[] | null): string[] {
  return (names ?? []).map((name) => name.replace(/^CAP_/, '')).sort();
}

/** A seccomp profile is written out whole: here it is named by what it holds. */
function securityOption(option: string): string {
  if (option.startsWith('no-new-privileges')) return 'no-new-privileges';
  const [name, value = ''] = option.split(/=(.*)/s);
  if (name !== 'seccomp' || !value.trimStart().startsWith('{')) return option;
  const calls = (JSON.parse(value) as { syscalls: unknown }).syscalls;
  return `seccomp=${createHash('sha256').update(JSON.stringify(calls)).digest('hex').slice(0, 12)}`;
}

function logLimit({ Type, Config }: HostConfig['LogConfig']): string | null {
  const size = Config['max-size'];
  return size === undefined ? null : `${Type} ${size} × ${Config['max-file'] ?? '1'}`;
}

function hostNamespaces(host: HostConfig): string[] {
  const modes = {
    network: host.NetworkMode,
    pid: host.PidMode,
    ipc: host.IpcMode,
    uts: host.UTSMode,
    user: host.UsernsMode,
  };
  return Object.entries(modes)
    .filter(([, mode]) => /^(host|container:)/.test(mode))
    .map(([name]) => name);
}

function mountLine(mount: Inspected['Mounts'][number], boxName: string): string {
  const source = mount.Type === 'volume' ? (mount.Name ?? '') : mount.Source;
  const known = source
    .replace(`${boxName}_`, '')
    .replace(boxName, 'BOX')
    // Of a file or directory of the host only the end is the same everywhere.
    .replace(/^(?!.*docker\.sock$).*\//, '')
    .replace(/^.*npmrc$/, 'npmrc');
  return `${mount.Type} ${known}:${mount.Destination}${mount.RW ? ' (writable)' : ''}`;
}
