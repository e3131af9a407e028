import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { parseEnv } from 'node:util';
import { readConfig } from './config.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const text = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const example = parseEnv(text('docs/settings.env'));

/** What every program has, and nobody sets for this one. */
const GIVEN_BY_THE_SYSTEM = ['PATH', 'HOME'];

/** `env.NAME`, and names in quotes that begin with ours. */
function namesReadBy(source: string): string[] {
  return [...source.matchAll(/\benv\.([A-Z][A-Z_]+)|'(DBOX_[A-Z_]+)'/g)].map(
    (match) => match[1] ?? match[2]!,
  );
}

const READERS = [
  'manager/src/config.ts',
  'box/src/config.ts',
  'cli/src/config.ts',
  'gateway/src/config.ts',
  'agent-sdk/src/config.ts',
  'agents/coding/src/config.ts',
  'agents/testing/src/config.ts',
  'agents/deployment/src/config.ts',
  'agents/monitoring/src/config.ts',
];
const read = new Set(READERS.flatMap((path) => namesReadBy(text(path))));

test('the example of all settings shows the defaults of the box', () => {
  assert.deepEqual(readConfig(example), readConfig({}));
});

test('every setting that is read is in the example, and nothing else is', () => {
  for (const name of GIVEN_BY_THE_SYSTEM) read.delete(name);
  assert.deepEqual([...read].sort(), Object.keys(example).sort());
});

test('every setting of the example is told about', () => {
  const lines = text('docs/settings.env').split('\n');
  const bare = lines.filter((line, at) => /^[A-Z]/.test(line) && !lines[at - 1]?.startsWith('# '));
  assert.deepEqual(bare, []);
});
