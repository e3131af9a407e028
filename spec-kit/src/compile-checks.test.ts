import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Check } from '@dbox/contracts';
import { compileChecks } from './compile-checks.ts';
import { readTaskSpecs } from './task-spec-reader.ts';

function compile(project: string, yaml: string) {
  return compileChecks({ project, spec: readTaskSpecs({ file: 'x', yaml }).specs[0]! });
}

test('the same criterion has the same id, however and in whatever task it is written', () => {
  const whole = compile(
    'p',
    'id: a\nacceptance: [{url: /, headers: {b: x, A: y}, should_respond: [200, 201]}]',
  );
  const split = compile(
    'p',
    'id: b\nacceptance: [{url: "http://localhost"}, {should_respond: [201, 200, 201]}, {headers: {a: y, b: x}}]',
  );
  assert.equal(whole[0]?.id, split[0]?.id);
  assert.equal(split[0]?.taskId, 'b');
});

test('another project or another expectation has another id', () => {
  const yaml = 'id: a\nacceptance: [{url: /}]';
  const ids = [
    compile('p', yaml),
    compile('q', yaml),
    compile('p', 'id: a\nacceptance: [{url: /, should_respond: 201}]'),
  ].map(([check]) => check?.id);
  assert.equal(new Set(ids).size, 3);
});

test('a criterion written twice is one check, proposed and in the shape of the contract', () => {
  const checks = compile(
    'p',
    'id: a\nacceptance: [{url: /}, {run: x}, {url: /}, {log: {must_not_match: x}}]',
  );
  assert.equal(checks.length, 3);
  for (const check of checks) assert.equal(Check.parse(check).status, 'proposed');
});

test('the ids are those that ledgers hold already', () => {
  // Changing how ids are made would orphan every check that is live: a new id needs a migration.
  assert.equal(compile('blog', 'id: a\nacceptance: [{url: /}]')[0]?.id, 'chk_d0920c8b0302');
});
