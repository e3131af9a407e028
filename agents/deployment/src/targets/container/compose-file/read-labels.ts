import type { ComposeNode } from './compose-tree.ts';
import type { Reading } from './reading.ts';

/** What a person says about a service to the box. */
export interface DboxLabels {
  readonly web: boolean | null;
  readonly keep: boolean | null;
  readonly port: number | null;
}

const NAMES = ['dbox.web', 'dbox.keep', 'dbox.port'];

/** All other labels are of no consequence here. */
export function readLabels(node: ComposeNode | undefined, reading: Reading): DboxLabels {
  const labels: { web: boolean | null; keep: boolean | null; port: number | null } = {
    web: null,
    keep: null,
    port: null,
  };
  for (const { key, place, value } of node ? reading.pairs(node, '`dbox.web: "true"`') : []) {
    if (!key.startsWith('dbox.')) continue;
    if (!NAMES.includes(key)) {
      reading.unknownKey(key, { keyPlace: place, value: value ?? node! }, NAMES);
      continue;
    }
    if (value === null) {
      const message = `The label \`${key}\` has no value.`;
      reading.add(place, { code: 'missing_value', message, hint: `Write \`${key}: "true"\`.` });
    } else if (key === 'dbox.port') labels.port = readPort(value, reading);
    else labels[key === 'dbox.web' ? 'web' : 'keep'] = reading.boolean(value);
  }
  return labels;
}

function readPort(node: ComposeNode, reading: Reading): number | null {
  const text = reading.text(node, 'a port, such as `8080`');
  if (text === null) return null;
  return portOf(text) ?? reading.badValue(node, 'Write a port, such as `8080`.');
}

export function portOf(text: string): number | null {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65535 ? port : null;
}
