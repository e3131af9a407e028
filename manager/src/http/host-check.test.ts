import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHostCheck } from './host-check.ts';

test('a box goes by loopback names and by those it is given, at any port', () => {
  const isOwn = createHostCheck(['Box.lan', 'fd00::1']);
  for (const host of [
    'localhost',
    'localhost:1',
    '127.0.0.1:7700',
    '[::1]',
    '[::1]:80',
    'box.LAN:8',
    '[fd00::1]:7700',
  ]) {
    assert.ok(isOwn(host), host);
  }
});

test('any other name is foreign, however much it looks like an own one', () => {
  const isOwn = createHostCheck([]);
  for (const host of [
    undefined,
    '',
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.nip.io',
    'localhost:80:80',
    'xlocalhost',
    '::1',
  ]) {
    assert.ok(!isOwn(host), String(host));
  }
});
