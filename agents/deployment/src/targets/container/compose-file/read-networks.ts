import type { ComposeNode } from './compose-tree.ts';
import type { Reading } from './reading.ts';

const KEYS = ['aliases', 'priority', 'gw_priority'];
const ADDRESS_KEYS = [
  'ipv4_address',
  'ipv6_address',
  'link_local_ips',
  'mac_address',
  'driver_opts',
  'interface_name',
];

/** Which networks of the file a service is on: all of them become one of the project's own. */
export function readNetworks(
  node: ComposeNode,
  reading: Reading,
): { networks: { name: string; node: ComposeNode }[]; aliases: string[] } {
  const networks: { name: string; node: ComposeNode }[] = [];
  const aliases: string[] = [];
  if (node.kind === 'list') {
    for (const item of node.items) {
      const name = reading.text(item, 'the name of a network');
      if (name !== null) networks.push({ name, node: item });
    }
    return { networks, aliases };
  }
  for (const [name, { value }] of reading.map(node, 'a list of networks')?.entries ?? []) {
    networks.push({ name, node: value });
    if (value.kind === 'text' && value.type === 'null') continue;
    for (const [key, entry] of reading.map(value, '`aliases:`')?.entries ?? []) {
      if (ADDRESS_KEYS.includes(key)) {
        reading.add(entry.keyPlace, {
          code: 'refused_key',
          message: 'Addresses cannot be chosen.',
          hint: `Leave \`${key}\` out: services reach each other by their names.`,
        });
      } else if (key === 'aliases') aliases.push(...readAliases(entry.value, reading));
      else if (!KEYS.includes(key) && !key.startsWith('x-')) reading.unknownKey(key, entry, KEYS);
    }
  }
  return { networks, aliases };
}

function readAliases(node: ComposeNode, reading: Reading): string[] {
  const names: string[] = [];
  for (const item of reading.list(node, 'a list of names')?.items ?? []) {
    const name = reading.text(item, 'a name');
    if (name === null) continue;
    if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(name)) names.push(name);
    else reading.badValue(item, 'Write a name of letters, digits, `-` and `_`.');
  }
  return names;
}
