import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MADE_ID_PATTERN } from '@dbox/contracts';
import { createRandomIds } from './random-ids.ts';

test('ids have the shape that the contracts ask for, and none comes twice', () => {
  const ids = createRandomIds();
  const seen = new Set<string>();
  for (let i = 0; i < 2_000; i++) {
    const id = ids.next('st');
    assert.match(id, MADE_ID_PATTERN);
    seen.add(id);
  }
  assert.equal(seen.size, 2_000);
});

test('every digit of the alphabet is used', () => {
  const ids = createRandomIds();
  const digits = new Set(Array.from({ length: 500 }, () => ids.next('job').slice(4)).join(''));
  assert.equal(digits.size, 32);
});
