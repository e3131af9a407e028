import { posix } from 'node:path';
import { quoted } from '../findings/finding-list.ts';
import type { ServiceSource } from './compose-plan.ts';
import type { ComposeNode, MapNode } from './compose-tree.ts';
import { MAX_PATH } from './read-volumes.ts';
import type { Reading } from './reading.ts';

type BuildSource = Extract<ServiceSource, { kind: 'build' }>;

const READ = ['context', 'dockerfile', 'args', 'target'];
const IGNORED = [
  'cache_from',
  'cache_to',
  'labels',
  'no_cache',
  'pull',
  'tags',
  'platforms',
  'shm_size',
  'provenance',
  'sbom',
];
const REFUSED: Readonly<Record<string, string>> = {
  additional_contexts: 'Other contexts are not read: COPY from the project itself.',
  dockerfile_inline: 'Write the Dockerfile as a file of its own and name it by `dockerfile`.',
  entitlements: 'A build gets no more rights: leave `entitlements` out.',
  extra_hosts: 'Leave `extra_hosts` out.',
  isolation: 'Leave `isolation` out.',
  network: 'Leave `network` out: a build reaches the public network alone.',
  privileged: 'A privileged build is root on this machine: leave `privileged` out.',
  secrets: 'A build gets no secrets: an image must not hold any.',
  ssh: 'A build gets no keys of this machine: leave `ssh` out.',
  ulimits: 'Leave `ulimits` out.',
};

/** `baseDir`: the directory of the compose file within the commit, `.` for the root. */
export function readBuild(node: ComposeNode, baseDir: string, reading: Reading): BuildSource | null {
  if (node.kind === 'text') {
    const context = readPath(reading.text(node, 'a directory, such as `.`'), baseDir, node, reading);
    if (context === null) return null;
    return { kind: 'build', context, dockerfile: posix.join(context, 'Dockerfile'), args: {}, target: null };
  }
  const map = reading.map(node, '`build: .`');
  if (map === null) return null;
  for (const [key, entry] of map.entries) {
    if (READ.includes(key) || IGNORED.includes(key) || key.startsWith('x-')) continue;
    if (Object.hasOwn(REFUSED, key)) {
      const message = `\`build.${key}\` is not allowed.`;
      reading.add(entry.keyPlace, { code: 'refused_key', message, hint: REFUSED[key]! });
    } else reading.unknownKey(key, entry, [...READ, ...IGNORED, ...Object.keys(REFUSED)]);
  }
  const textAt = (key: string, wanted: string) => {
    const value = map.entries.get(key)?.value;
    return value === undefined ? undefined : reading.text(value, wanted);
  };
  const contextNode = map.entries.get('context')?.value ?? map;
  const written = textAt('context', 'a directory, such as `.`');
  const context = readPath(written === undefined ? '.' : written, baseDir, contextNode, reading);
  const name = textAt('dockerfile', 'a file, such as `Dockerfile`');
  const target = textAt('target', 'the name of a stage');
  const args = readArgs(map, reading);
  if (context === null || name === null || target === null) return null;
  const dockerfileNode = map.entries.get('dockerfile')?.value ?? map;
  const dockerfile = readPath(name ?? 'Dockerfile', context, dockerfileNode, reading);
  return dockerfile === null ? null : { kind: 'build', context, dockerfile, args, target: target ?? null };
}

function readPath(written: string | null, base: string, node: ComposeNode, reading: Reading): string | null {
  if (written === null) return null;
  if (/:\/\/|^git@|^[\w.-]+@[\w.-]+:|^github\.com\//i.test(written)) {
    return reading.add(node.place, {
      code: 'remote_context',
      message: `${quoted(written)} is not in the project: builds are made of the commit alone.`,
      hint: 'Name a directory of the project, such as `.`.',
    });
  }
  const path =
    written.length > MAX_PATH ? '..' : posix.normalize(posix.join(base, written)).replace(/(.)\/$/, '$1');
  if (
    !written.startsWith('/') &&
    !/^[A-Za-z]:|\\|^~/.test(written) &&
    path !== '..' &&
    !path.startsWith('../')
  ) {
    return path;
  }
  return reading.add(node.place, {
    code: 'bad_path',
    message: `${quoted(written)} is not within the project.`,
    hint: 'Write a path relative to the compose file that stays within the project.',
  });
}

/** Arguments stay readable in an image, so no setting may go into one. */
function readArgs(map: MapNode, reading: Reading): Record<string, string> {
  const args: [string, string][] = [];
  const node = map.entries.get('args')?.value;
  for (const { key, place, value } of node ? reading.pairs(node, '`KEY: value`') : []) {
    if (!/^[A-Za-z_][A-Za-z0-9_]{0,100}$/.test(key)) {
      reading.add(place, {
        code: 'bad_key',
        message: `${quoted(key)} is no name of an argument.`,
        hint: 'Write letters, digits and _.',
      });
    } else if (/^BUILDKIT_/i.test(key)) {
      // Among them are the frontend that reads the Dockerfile, and whose caches are mounted.
      reading.add(place, {
        code: 'refused_key',
        message: `The argument ${quoted(key)} steers the builder itself.`,
        hint: 'Leave it out.',
      });
    } else if (value === null) {
      reading.add(place, {
        code: 'missing_value',
        message: `The argument ${quoted(key)} has no value.`,
        hint: `Write \`${key}: value\`; secrets belong into \`environment\`, not into an image.`,
      });
    } else {
      const text = reading.text(value, '`KEY: value`');
      if (text !== null) args.push([key, text]);
    }
  }
  return Object.fromEntries(args);
}
