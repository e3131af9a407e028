import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSharedLookup } from './shared-lookup.ts';

test('a name that many wait for is looked up once, all are told, and the next one asks anew', () => {
  const asked: (() => void)[] = [];
  const shared = createSharedLookup((_name, _options, callback) => {
    asked.push(() => callback(null, `10.0.0.${asked.length}`, 4));
  });
  const told: unknown[] = [];
  const ask = (name: string) => shared(name, {}, (_error, address) => told.push(address));
  for (const name of ['a', 'a', 'b', 'a']) ask(name);
  assert.equal(asked.length, 2);
  asked[0]!();
  assert.deepEqual(told, ['10.0.0.2', '10.0.0.2', '10.0.0.2']);
  ask('a');
  assert.equal(asked.length, 3);
});
