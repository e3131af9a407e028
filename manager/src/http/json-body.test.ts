import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isDeeperThan, parseJson } from './json-body.ts';

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

test('nesting is counted as JSON nests, whatever the strings hold', () => {
  const nested = fc.jsonValue({
    maxDepth: 8,
    stringUnit: fc.constantFrom('{', '[', '"', '\\', ']', '}', 'ü'),
  });
  fc.assert(
    fc.property(nested, fc.nat(8), (value, maxDepth) => {
      const bytes = Buffer.from(JSON.stringify(value));
      // Shorter text than `maxDepth` cannot be deeper, which spares small bodies the scan.
      assert.equal(isDeeperThan(bytes, maxDepth), depthOf(value) > maxDepth);
    }),
    { numRuns: 500 },
  );
});

test('text that is no JSON is scanned to its end and no further', () => {
  for (const text of ['"never closed', '"\\', ']]]]', '[[["]', '\\\\"']) {
    assert.equal(isDeeperThan(Buffer.from(text.padEnd(100)), 64), false, text);
  }
});

test('the value of a body is what JSON says it is', () => {
  assert.deepEqual(parseJson(Buffer.from(' {"a":[1,"ü",null]} ')), { a: [1, 'ü', null] });
  assert.equal(parseJson(Buffer.from('0')), 0);
});
