import type { Healthcheck } from './compose-plan.ts';
import type { ComposeNode, MapNode } from './compose-tree.ts';
import { parseDurationMs } from './quantities.ts';
import type { Reading } from './reading.ts';

const KEYS = ['test', 'interval', 'timeout', 'retries', 'start_period', 'start_interval', 'disable'];
const EXAMPLE = '`test: ["CMD", "pg_isready"]`';

/** Null with a finding. */
export function readHealthcheck(node: ComposeNode, reading: Reading): Healthcheck | 'none' | null {
  const map = reading.map(node, EXAMPLE);
  if (map === null) return null;
  for (const [key, entry] of map.entries) {
    if (!KEYS.includes(key) && !key.startsWith('x-')) reading.unknownKey(key, entry, KEYS);
  }
  const disable = map.entries.get('disable')?.value;
  if (disable && reading.boolean(disable)) return 'none';
  const testNode = map.entries.get('test')?.value;
  if (!testNode) {
    return reading.add(map.place, {
      code: 'missing_key',
      message: '`test` is missing.',
      hint: `Add ${EXAMPLE}.`,
    });
  }
  const test = readTest(testNode, reading);
  if (test === null || test === 'none') return test;
  return {
    test,
    intervalMs: durationAt(map, 'interval', reading),
    timeoutMs: durationAt(map, 'timeout', reading),
    startPeriodMs: durationAt(map, 'start_period', reading),
    startIntervalMs: durationAt(map, 'start_interval', reading),
    retries: readRetries(map, reading),
  };
}

function readTest(node: ComposeNode, reading: Reading): string[] | 'none' | null {
  const words = reading.texts(node, EXAMPLE);
  if (words === null) return null;
  if (node.kind !== 'list') return ['CMD-SHELL', words[0]!];
  if (words[0] === 'NONE' && words.length === 1) return 'none';
  if ((words[0] === 'CMD' && words.length > 1) || (words[0] === 'CMD-SHELL' && words.length === 2))
    return words;
  return reading.badValue(node, `Write ${EXAMPLE}, or one line for a shell.`);
}

function readRetries(map: MapNode, reading: Reading): number | null {
  const node = map.entries.get('retries')?.value;
  const text = node ? reading.text(node, 'a number') : null;
  if (!node || text === null) return null;
  return /^\d{1,3}$/.test(text) ? Number(text) : reading.badValue(node, 'Write a whole number, such as `5`.');
}

export function durationAt(map: MapNode, key: string, reading: Reading): number | null {
  const node = map.entries.get(key)?.value;
  const text = node ? reading.text(node, 'a duration, such as `10s`') : null;
  if (!node || text === null) return null;
  return parseDurationMs(text) ?? reading.badValue(node, 'Write a duration, such as `10s` or `1m30s`.');
}
