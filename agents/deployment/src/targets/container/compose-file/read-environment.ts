import { quoted } from '../findings/finding-list.ts';
import type { ComposeNode } from './compose-tree.ts';
import type { Reading } from './reading.ts';

export interface DraftEnvironment {
  readonly variables: ReadonlyMap<string, string>;
  readonly secretNames: ReadonlySet<string>;
}

/** What all variables of a process may take together on Linux, with room for its arguments. */
const MAX_BYTES = 1024 * 1024;

export function readEnvironment(node: ComposeNode, reading: Reading): DraftEnvironment {
  const variables = new Map<string, string>();
  const secretNames = new Set<string>();
  let bytes = 0;
  for (const { key, place, value } of reading.pairs(node, '`KEY: value`')) {
    if (!/^[^=\s\0$]{1,200}$/.test(key)) {
      reading.add(place, {
        code: 'bad_key',
        message: `${quoted(key)} is no name of a variable.`,
        hint: 'Write `KEY: value`, or `- KEY=value` in a list.',
      });
      continue;
    }
    if (key.startsWith('DBOX_')) {
      reading.add(place, {
        code: 'reserved_name',
        message: `${quoted(key)} is set by the box itself.`,
        hint: 'Choose a name that does not begin with DBOX_.',
      });
      continue;
    }
    // A name alone asks for the setting of this name.
    const read = value === null ? settingOf(key, place) : reading.secretText(value);
    if (read === null) continue;
    if (read.isSecret && !/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) {
      reading.add(place, {
        code: 'bad_key',
        message: `${quoted(key)} holds a setting, and no shell can set a variable of this name.`,
        hint: 'Write letters, digits and _.',
      });
      continue;
    }
    bytes += key.length + Buffer.byteLength(read.text);
    if (bytes > MAX_BYTES) {
      const message = 'The variables are too large for a process.';
      reading.add(place, { code: 'too_large', message, hint: 'Put large values into files.' });
      break;
    }
    variables.set(key, read.text);
    if (read.isSecret) secretNames.add(key);
    else secretNames.delete(key);
  }
  return { variables, secretNames };

  function settingOf(key: string, place: Parameters<Reading['add']>[0]) {
    const text = reading.setting(key, place);
    return text === null ? null : { text, isSecret: true };
  }
}
