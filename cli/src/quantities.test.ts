import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAgo, formatBytes, formatDuration } from './quantities.ts';

test('durations are told in the unit a person would use', () => {
  assert.equal(formatDuration(850), '850 ms');
  assert.equal(formatDuration(3249), '3.2 s');
  assert.equal(formatDuration(245_000), '4 m 05 s');
  assert.equal(formatDuration(7_380_000), '2 h 03 m');
  assert.equal(formatDuration(439_200_000), '5 d 2 h');
});

test('a clock that went backwards makes no negative duration', () => {
  assert.equal(formatDuration(-5), '0 ms');
  assert.equal(formatAgo('2026-01-01T00:00:10.000Z', Date.parse('2026-01-01T00:00:00.000Z')), '0 s ago');
});

test('an instant is told by how long ago it was, and one that is none is unknown', () => {
  const now = Date.parse('2026-01-02T00:00:00.000Z');
  assert.equal(formatAgo('2026-01-01T23:57:00.000Z', now), '3 m ago');
  assert.equal(formatAgo('2026-01-01T00:00:00.000Z', now), '24 h ago');
  assert.equal(formatAgo('2025-12-01T00:00:00.000Z', now), '32 d ago');
  assert.equal(formatAgo('soon', now), 'unknown');
});

test('bytes are told with two figures', () => {
  assert.equal(formatBytes(512), '512 B');
  assert.equal(formatBytes(3_400_000), '3.4 MB');
  assert.equal(formatBytes(12_300_000_000), '12 GB');
});
