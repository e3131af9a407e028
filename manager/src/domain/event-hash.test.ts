import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GENESIS_HASH } from '@dbox/contracts';
import { canonicalJson, eventHashText } from './event-hash.ts';

test('canonical JSON sorts keys at every depth and keeps the order of lists', () => {
  assert.equal(
    canonicalJson({ b: [{ z: 1, a: null }, 'x'], a: { é: true, e: -0 } }),
    '{"a":{"e":0,"é":true},"b":[{"a":null,"z":1},"x"]}',
  );
});

test('canonical JSON survives being stored and read again', () => {
  const value = { text: 'a "quoted" line\n\u0000\ud800', n: 1e21, deep: [[[{ k: 0.1 }]]], gone: undefined };
  assert.equal(canonicalJson(JSON.parse(canonicalJson(value))), canonicalJson(value));
});

test('what JSON cannot hold is refused', () => {
  assert.throws(() => canonicalJson({ n: Number.NaN }), TypeError);
  assert.throws(() => canonicalJson([undefined]), TypeError);
  assert.throws(() => canonicalJson(() => 1), TypeError);
});

test('the hashed text is the previous hash and the canonical JSON of all other fields', () => {
  const event = {
    seq: 1,
    at: '2026-01-01T00:00:00.000Z',
    actor: 'sys"tem',
    type: 't',
    subject: 's',
    data: { b: 1, a: 2 },
  };
  assert.equal(eventHashText(GENESIS_HASH, event), GENESIS_HASH + canonicalJson(event));
});
