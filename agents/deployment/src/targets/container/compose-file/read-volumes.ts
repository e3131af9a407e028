import { posix } from 'node:path';
import { quoted } from '../findings/finding-list.ts';
import type { ComposeNode, MapNode, TextNode } from './compose-tree.ts';
import { parseBytes } from './quantities.ts';
import type { Reading } from './reading.ts';

export interface DraftVolume {
  readonly node: ComposeNode;
  readonly volume: string;
  readonly path: string;
  readonly readOnly: boolean;
}

export interface DraftTmpfs {
  readonly path: string;
  readonly sizeBytes: number | null;
}

const SHORT = 'a named volume and its path, such as `db-data:/var/lib/postgresql/data`';
/** No path on Linux is longer, and to normalize one takes time squared. */
export const MAX_PATH = 4096;
const VOLUME_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,100}$/;

/** What a service mounts: named volumes and tmpfs, and nothing of the host. */
export function readVolumes(
  node: ComposeNode,
  reading: Reading,
): { volumes: DraftVolume[]; tmpfs: DraftTmpfs[] } {
  const volumes: DraftVolume[] = [];
  const tmpfs: DraftTmpfs[] = [];
  if (node.kind === 'text' && node.type === 'null') return { volumes, tmpfs };
  for (const item of reading.list(node, `a list of ${SHORT}`)?.items ?? []) {
    if (item.kind === 'map') readLong(item, reading, { volumes, tmpfs });
    else if (item.kind === 'text') {
      const volume = readShort(item, reading);
      if (volume !== null) volumes.push(volume);
    } else reading.wrongType(item, SHORT);
  }
  return { volumes, tmpfs };
}

function readShort(node: TextNode, reading: Reading): DraftVolume | null {
  const text = reading.text(node, SHORT);
  if (text === null) return null;
  const [source, path, mode, rest] = text.split(':');
  // `C:\\x:/y` and `C:/x:/y` are of another system, and binds of it.
  if (source === undefined || rest !== undefined || text.includes('\\') || mode?.startsWith('/')) {
    return refuseBind(node, reading);
  }
  if (path === undefined) {
    if (!source.startsWith('/')) return reading.badValue(node, `Write ${SHORT}.`);
    return reading.add(node.place, {
      code: 'anonymous_volume',
      message: `The volume at ${quoted(source)} has no name, so its files would be lost with the release.`,
      hint: `Name it, as \`data:${source}\`, and add the name below \`volumes\` at the top level.`,
    });
  }
  if (isHostPath(source)) return refuseBind(node, reading, source);
  if (!VOLUME_NAME.test(source)) return reading.badValue(node, `Write ${SHORT}.`);
  const modes = (mode ?? 'rw').split(',');
  const odd = modes.find(
    (one) => !['ro', 'rw', 'z', 'Z', 'nocopy', 'cached', 'delegated', 'consistent'].includes(one),
  );
  if (odd !== undefined) return reading.badValue(node, 'Write `:ro` after the path, or nothing.');
  const inner = readContainerPath(path, node, reading);
  return inner === null ? null : { node, volume: source, path: inner, readOnly: modes.includes('ro') };
}

const LONG_KEYS = ['type', 'source', 'target', 'read_only', 'volume', 'tmpfs', 'bind', 'consistency'];

function readLong(
  map: MapNode,
  reading: Reading,
  { volumes, tmpfs }: { volumes: DraftVolume[]; tmpfs: DraftTmpfs[] },
): void {
  const at = (key: string) => map.entries.get(key)?.value;
  for (const [key, entry] of map.entries) {
    if (!LONG_KEYS.includes(key) && !key.startsWith('x-')) reading.unknownKey(key, entry, LONG_KEYS);
  }
  const typeNode = at('type');
  const type = typeNode ? reading.text(typeNode, '`type: volume`') : 'volume';
  const sourceNode = at('source');
  if (type === 'bind' || at('bind')) {
    const source = sourceNode?.kind === 'text' ? sourceNode.text : undefined;
    refuseBind(sourceNode ?? map, reading, source);
    return;
  }
  const target = at('target');
  if (!target) {
    reading.add(map.place, {
      code: 'missing_key',
      message: '`target` is missing.',
      hint: 'Add `target:` with the path in the container.',
    });
    return;
  }
  const path = readContainerPath(reading.text(target, 'a path'), target, reading);
  if (type === null || path === null) return;
  if (type === 'tmpfs') {
    const options = at('tmpfs');
    const size = options?.kind === 'map' ? options.entries.get('size')?.value : undefined;
    tmpfs.push({ path, sizeBytes: size ? readBytes(size, reading) : null });
    return;
  }
  if (type !== 'volume') {
    reading.badValue(typeNode!, 'Write `type: volume` or `type: tmpfs`.');
    return;
  }
  const readOnlyNode = at('read_only');
  const readOnly = readOnlyNode ? (reading.boolean(readOnlyNode) ?? false) : false;
  if (!sourceNode) {
    reading.add(map.place, {
      code: 'anonymous_volume',
      message: `The volume at ${quoted(path)} has no name, so its files would be lost with the release.`,
      hint: 'Add `source:` with a name, and the name below `volumes` at the top level.',
    });
    return;
  }
  const source = reading.text(sourceNode, 'the name of a volume');
  if (source === null) return;
  if (isHostPath(source)) refuseBind(sourceNode, reading, source);
  else if (!VOLUME_NAME.test(source)) reading.badValue(sourceNode, 'Write the name of a volume.');
  else volumes.push({ node: sourceNode, volume: source, path, readOnly });
}

function isHostPath(source: string): boolean {
  return /^[./~\\]/.test(source) || /[\\/]/.test(source);
}

function refuseBind(node: ComposeNode, reading: Reading, written?: string): null {
  const source = written ?? (node.kind === 'text' ? node.text : '');
  if (/(docker|containerd|podman|crio)[^/]*\.sock/i.test(source)) {
    return reading.add(node.place, {
      code: 'engine_socket',
      message: "The engine's socket is root on this machine; no project gets it.",
      hint: 'Leave the service out that needs it.',
    });
  }
  if (source.startsWith('/') && source.length <= MAX_PATH && /^\/+$/.test(posix.normalize(source))) {
    return reading.add(node.place, {
      code: 'bind_mount',
      message: 'A bind of `/` would give the container all of this machine.',
      hint: 'Mount a named volume, or COPY what it needs in the Dockerfile.',
    });
  }
  return reading.add(node.place, {
    code: 'bind_mount',
    message: `${quoted(source)} is a path of the host: nothing of it is mounted.`,
    hint: 'Mount a named volume for data, or COPY the files in a Dockerfile and `build` the service by it.',
  });
}

/** `tmpfs: /run` or a list of such, with the options of `mount`. */
export function readTmpfs(node: ComposeNode, reading: Reading): DraftTmpfs[] {
  const found: DraftTmpfs[] = [];
  for (const item of node.kind === 'list' ? node.items : [node]) {
    const text = reading.text(item, 'a path, such as `/run`');
    if (text === null) continue;
    const [written, options = ''] = text.split(':', 2);
    const path = readContainerPath(written!, item, reading);
    const size = /(?:^|,)size=([^,]*)/.exec(options)?.[1];
    const sizeBytes = size === undefined ? null : parseBytes(size);
    if (size !== undefined && sizeBytes === null)
      reading.badValue(item, 'Write for example `/run:size=16m`.');
    else if (path !== null) found.push({ path, sizeBytes });
  }
  return found;
}

export function readBytes(node: ComposeNode, reading: Reading): number | null {
  const text = reading.text(node, 'a size, such as `512m`');
  if (text === null) return null;
  const bytes = parseBytes(text);
  return bytes === null || bytes <= 0 ? reading.badValue(node, 'Write a size, such as `512m`.') : bytes;
}

/** A path within the container that may be mounted over. */
export function readContainerPath(
  written: string | null,
  node: ComposeNode,
  reading: Reading,
): string | null {
  if (written === null) return null;
  const isShort = written.length <= MAX_PATH;
  const isPlain = written.startsWith('/') && !written.split('/').includes('..') && !/[,:]/.test(written);
  if (!isShort || !isPlain)
    return reading.badValue(node, 'Write an absolute path within the container, such as `/data`.');
  const path = posix.normalize(written).replace(/(.)\/$/, '$1');
  if (/^\/(proc|sys|dev)?$/.test(path) || /^\/(proc|sys|dev)\//.test(path)) {
    return reading.add(node.place, {
      code: 'bad_path',
      message: `Nothing can be mounted at ${quoted(path)}.`,
      hint: 'Choose a directory of the service, such as `/data`.',
    });
  }
  return path;
}
