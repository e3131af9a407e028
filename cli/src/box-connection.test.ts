import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readHost } from './box-connection.ts';

test('a host may be written short or whole', () => {
  assert.equal(readHost('127.0.0.1:7700'), 'http://127.0.0.1:7700');
  assert.equal(readHost('localhost:7700'), 'http://localhost:7700');
  assert.equal(readHost('https://box.example.org/'), 'https://box.example.org');
});

test('what is no address of a box is refused', () => {
  for (const host of ['ftp://x', 'http://', 'a b', 'x:99999']) {
    assert.throws(() => readHost(host), /is no address of a box/);
  }
});
