import { join } from 'node:path';
import type { HostLayout } from './host-layout.ts';
import type { Mount, SandboxCommand } from './sandbox.ts';
import type { Toolchain } from './toolchain.ts';

/** Where the tree is found inside, the same for every command, so that what a build writes down stays true. */
export const TREE_INSIDE = '/src';
const HOME_INSIDE = '/tmp/home';
const TOOLS_INSIDE = '/opt/dbox/bin';
const NPM_INSIDE = '/opt/dbox/npm';
/** passwd, group, hosts and nsswitch.conf as they look inside. */
const ETC_DIRECTORY = join(import.meta.dirname, '..', 'etc');
const SHM_MB = 64;

/** What this bubblewrap can do beyond the oldest one; found out by trying. */
export interface BubblewrapFeatures {
  /** `--disable-userns` and `--size` came with 0.8 and 0.7. */
  readonly disableUserns: boolean;
  readonly tmpfsSize: boolean;
}

export interface BubblewrapPlan {
  readonly command: SandboxCommand;
  readonly marker: string;
  readonly toolchain: Toolchain;
  readonly layout: HostLayout;
  readonly features: BubblewrapFeatures;
}

/** The arguments before `--`. Order matters: a later mount covers an earlier one. */
export function buildBubblewrapArguments(plan: BubblewrapPlan): string[] {
  const { command, layout, features } = plan;
  const tmpfs = (path: string, sizeMb: number) => [
    ...(features.tmpfsSize ? ['--size', String(sizeMb * 1024 * 1024)] : []),
    '--tmpfs',
    path,
  ];
  const readOnly = (mounts: readonly Mount[]) =>
    mounts.flatMap((mount) => ['--ro-bind', mount.host, mount.inside]);
  const args = [
    '--unshare-all',
    '--unshare-user',
    ...(features.disableUserns ? ['--disable-userns'] : []),
    ...(command.network === 'host' ? ['--share-net'] : []),
    '--die-with-parent',
    '--new-session',
    '--cap-drop',
    'ALL',
    '--uid',
    '1000',
    '--gid',
    '1000',
    '--hostname',
    'box',
    ...layout.directories.flatMap((path) => ['--ro-bind', path, path]),
    ...layout.links.flatMap((link) => ['--symlink', link.target, link.path]),
    ...readOnly(layout.settings),
    ...readOnly(etcOf(command.network, layout)),
    ...['--proc', '/proc', '--dev', '/dev'],
    ...tmpfs('/dev/shm', SHM_MB),
    ...tmpfs('/tmp', command.limits.memoryMb),
    ...['--dir', HOME_INSIDE, '--dir', '/run'],
    ...toolArguments(plan.toolchain),
    ...['--bind', command.tree, TREE_INSIDE, '--chdir', TREE_INSIDE],
    // After the tree, so that a mount can cover a part of it.
    ...(command.writable ?? []).flatMap((mount) => ['--bind', mount.host, mount.inside]),
    ...readOnly(command.readable ?? []),
    ...LOCKED.flatMap((path) => ['--remount-ro', path]),
    '--clearenv',
    ...Object.entries(environmentInside(command.env, plan.marker)).flatMap(([name, value]) => [
      '--setenv',
      name,
      value,
    ]),
  ];
  // They are handed over separated by NUL: one inside a value would end it and begin another argument.
  if (args.some((argument) => argument.includes('\0')))
    throw new TypeError('a path or value holds a NUL byte');
  return args;
}

/**
 * Where the box runs as root, the user inside is root's own uid without capabilities, and the kernel
 * lets that uid write sysctls (core_pattern!) wherever /proc is mounted writable.
 */
const LOCKED = ['/proc', '/dev', '/'];

function etcOf(network: SandboxCommand['network'], layout: HostLayout): Mount[] {
  const made = ['passwd', 'group', 'nsswitch.conf'];
  if (network === 'none') made.push('hosts');
  return [
    ...made.map((name) => ({ host: join(ETC_DIRECTORY, name), inside: `/etc/${name}` })),
    ...(network === 'host' ? layout.resolving : []),
  ];
}

/** npm under /usr is left where it is, since a distribution may keep its parts beside it. */
function toolArguments(toolchain: Toolchain): string[] {
  const tools = ['--ro-bind', toolchain.nodeBin, join(TOOLS_INSIDE, 'node')];
  if (toolchain.npmDir === null) return tools;
  const isVisible = toolchain.npmDir.startsWith('/usr/');
  const npm = isVisible ? toolchain.npmDir : NPM_INSIDE;
  return [
    ...tools,
    ...(isVisible ? [] : ['--ro-bind', toolchain.npmDir, NPM_INSIDE]),
    ...['--symlink', join(npm, 'bin', 'npm-cli.js'), join(TOOLS_INSIDE, 'npm')],
    ...['--symlink', join(npm, 'bin', 'npx-cli.js'), join(TOOLS_INSIDE, 'npx')],
  ];
}

export const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/go/bin';

function environmentInside(
  env: Readonly<Record<string, string>>,
  marker: string,
): Readonly<Record<string, string>> {
  return {
    PATH: `${TOOLS_INSIDE}:${SYSTEM_PATH}`,
    HOME: HOME_INSIDE,
    TMPDIR: '/tmp',
    LANG: 'C.UTF-8',
    ...env,
    DBOX_MARKER: marker,
  };
}
