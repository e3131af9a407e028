import type { ComposeNode } from './compose-tree.ts';
import { portOf } from './read-labels.ts';
import type { Reading } from './reading.ts';

const PORT = 'a port of the container, such as `8080`';
const LONG_KEYS = ['target', 'published', 'protocol', 'mode', 'host_ip', 'app_protocol', 'name'];

/**
 * The TCP ports that a service listens on, in the order of the file. Nothing is published on the host:
 * the part before the container's port does not matter, so it need not even be readable.
 */
export function readPorts(node: ComposeNode, reading: Reading): number[] {
  const ports: number[] = [];
  if (node.kind === 'text' && node.type === 'null') return ports;
  for (const item of reading.list(node, `a list of ports, such as \`- "8080:80"\``)?.items ?? []) {
    const port = item.kind === 'map' ? readLong(item, reading) : readShort(item, reading);
    if (port !== null) ports.push(port);
  }
  return ports;
}

function readShort(node: ComposeNode, reading: Reading): number | null {
  if (node.kind !== 'text') return reading.wrongType(node, PORT);
  const plain = /(?:^|:)(\d{1,5}(?:-\d{1,5})?(?:\/[a-z]+)?)$/.exec(node.text)?.[1];
  const text = plain ?? reading.text(node, PORT);
  if (text === null) return null;
  const [range, protocol = 'tcp'] = text.slice(text.lastIndexOf(':') + 1).split('/');
  const port = portOf(range!.split('-')[0]!);
  if (port === null) return reading.badValue(node, `Write ${PORT}, or \`"8080:80"\`.`);
  return protocol === 'tcp' ? port : null;
}

function readLong(node: Extract<ComposeNode, { kind: 'map' }>, reading: Reading): number | null {
  for (const [key, entry] of node.entries) {
    if (!LONG_KEYS.includes(key) && !key.startsWith('x-')) reading.unknownKey(key, entry, LONG_KEYS);
  }
  const target = node.entries.get('target')?.value;
  if (!target) {
    return reading.add(node.place, {
      code: 'missing_key',
      message: '`target` is missing.',
      hint: 'Add `target:` with the port of the container.',
    });
  }
  const port = readShort(target, reading);
  const protocol = node.entries.get('protocol')?.value;
  return protocol && reading.text(protocol, '`tcp`') !== 'tcp' ? null : port;
}
