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
