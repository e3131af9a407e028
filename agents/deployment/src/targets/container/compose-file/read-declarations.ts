import { quoted } from '../findings/finding-list.ts';
import type { ComposeNode } from './compose-tree.ts';
import type { Reading } from './reading.ts';

interface Kind {
  readonly noun: 'volume' | 'network';
  /** What the box uses anyway. */
  readonly drivers: readonly string[];
  readonly ignored: readonly string[];
}

const VOLUME: Kind = { noun: 'volume', drivers: ['', 'local', 'default'], ignored: ['labels'] };
const NETWORK: Kind = {
  noun: 'network',
  drivers: ['', 'bridge', 'default'],
  ignored: ['labels', 'internal', 'attachable', 'enable_ipv4', 'enable_ipv6'],
};
const EXTERNAL = 'other projects and the box itself could be reached by it';

/** The names below `volumes` or `networks` at the top level: each becomes the project's own. */
export function readDeclarations(
  node: ComposeNode | undefined,
  noun: 'volume' | 'network',
  reading: Reading,
): Set<string> {
  const kind = noun === 'volume' ? VOLUME : NETWORK;
  const names = new Set<string>();
  if (node === undefined || (node.kind === 'text' && node.type === 'null')) return names;
  for (const [name, { value }] of reading.map(node, `names of ${noun}s`)?.entries ?? []) {
    names.add(name);
    if (value.kind === 'text' && value.type === 'null') continue;
    const map = reading.map(value, 'nothing behind the name');
    for (const [key, entry] of map?.entries ?? []) readOption(key, entry);
  }
  return names;

  function readOption(key: string, entry: { keyPlace: ComposeNode['place']; value: ComposeNode }): void {
    const { keyPlace, value } = entry;
    const text = value.kind === 'text' ? value.text : null;
    const isEmpty = text === '' || (value.kind === 'map' && value.entries.size === 0);
    if (kind.ignored.includes(key) || key.startsWith('x-')) return;
    if (key === 'name') {
      reading.note(keyPlace, `The name of a ${noun} is not used.`, `Each ${noun} is the project's own.`);
    } else if (key === 'external') {
      if (text === 'false') return;
      refuse(keyPlace, `An external ${noun} is not of this project: ${EXTERNAL}.`, 'Leave `external` out.');
    } else if (key === 'driver') {
      if (text !== null && kind.drivers.includes(text)) return;
      const message = `The driver ${quoted(text ?? '')} is not allowed: a ${noun} is the engine's own.`;
      refuse(keyPlace, message, 'Leave `driver` out.');
    } else if (key === 'driver_opts') {
      if (isEmpty) return;
      refuse(keyPlace, 'Options of drivers can mount any path of the host.', 'Leave `driver_opts` out.');
    } else if (key === 'ipam' || key === 'config_only' || key === 'config_from') {
      if (isEmpty) return;
      refuse(keyPlace, 'Addresses cannot be chosen.', `Leave \`${key}\` out.`);
    } else {
      const known = [...kind.ignored, 'name', 'external', 'driver', 'driver_opts'];
      reading.unknownKey(key, entry, known);
    }
  }

  function refuse(place: ComposeNode['place'], message: string, hint: string): void {
    reading.add(place, { code: 'refused_key', message, hint });
  }
}
