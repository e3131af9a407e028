import assert from 'node:assert/strict';
import { globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { checkTaskGraph, rawDboxYamlSchema, rawTaskSpecSchema, readTaskSpecs } from './index.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const files = globSync('specs/**/*.yaml', { cwd: root }).toSorted();

test('there are examples', () => assert.ok(files.length >= 7));

for (const file of files) {
  test(`${relative('specs', file)} is read without a finding and what it names is there`, () => {
    const { specs, sources, findings } = readTaskSpecs({
      file,
      yaml: readFileSync(join(root, file), 'utf8'),
    });
    assert.deepEqual(findings, []);
    assert.deepEqual(checkTaskGraph({ specs, sources, known: [] }), []);
    for (const input of specs.flatMap((spec) => spec.inputs)) {
      if (input.type !== 'scripted') continue;
      for (const attempt of input.attempts) statSync(join(root, dirname(file), attempt));
    }
  });
}

test('both schemas can be given to editors', () => {
  for (const schema of [rawTaskSpecSchema, rawDboxYamlSchema]) {
    const json = z.toJSONSchema(schema) as { additionalProperties?: unknown; properties?: object };
    assert.equal(json.additionalProperties, false);
    assert.ok(Object.keys(json.properties ?? {}).length > 0);
  }
});

test('the documentation names every key and every code that a reader can give', () => {
  const docs = ['task-spec.md', 'dbox-yaml.md']
    .map((name) => readFileSync(join(root, 'docs', name), 'utf8'))
    .join('\n');
  const codes = globSync('*.ts', { cwd: import.meta.dirname })
    .filter((name) => !name.endsWith('.test.ts'))
    .flatMap((name) => [
      ...readFileSync(join(import.meta.dirname, name), 'utf8').matchAll(/code: '([a-z_]+)'/g),
    ])
    .map(([, code]) => code!);
  assert.ok(codes.length > 20);
  const keys = [rawTaskSpecSchema, rawDboxYamlSchema].flatMap((schema) => keysWithin(z.toJSONSchema(schema)));
  assert.ok(keys.includes('max_cost_usd') && keys.includes('must_not_match') && keys.includes('static'));
  const unnamed = [...codes, ...keys].filter((word) => !new RegExp(`\\b${word}\\b`).test(docs));
  assert.deepEqual(unnamed, []);
});

/** The name of every property in a JSON Schema, however deep. */
function keysWithin(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const { properties } = schema as { properties?: object };
  return [...Object.keys(properties ?? {}), ...Object.values(schema).flatMap(keysWithin)];
}
