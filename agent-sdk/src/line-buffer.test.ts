import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLineBuffer } from './line-buffer.ts';

const takeAll = (buffer: ReturnType<typeof createLineBuffer>) => {
  const all: string[] = [];
  while (!buffer.isEmpty) all.push(...buffer.take(50));
  return all;
};
const create = (maxBytes: number) => createLineBuffer({ maxBytes, mark: (count) => `[${count} left out]` });

test('lines come out in the order they went in, in batches of the size asked for', () => {
  const buffer = create(1_000);
  for (const line of ['a', 'b', 'c']) buffer.push(line);
  assert.deepEqual(buffer.take(4), ['a', 'b']);
  buffer.push('d');
  assert.deepEqual(buffer.take(100), ['c', 'd']);
  assert.equal(buffer.isEmpty, true);
  assert.deepEqual(buffer.take(100), []);
});

test('a line larger than the batch is taken alone', () => {
  const buffer = create(1_000);
  buffer.push('x'.repeat(100));
  buffer.push('y');
  assert.deepEqual(buffer.take(10), ['x'.repeat(100)]);
  assert.deepEqual(buffer.take(10), ['y']);
});

test('past its bound the beginning and the newest are kept, and the gap is marked with its size', () => {
  const buffer = create(200);
  for (let n = 0; n < 1_000; n += 1) buffer.push(`line ${String(n).padStart(3, '0')}`);
  const lines = takeAll(buffer);
  assert.equal(lines[0], 'line 000');
  assert.equal(lines.at(-1), 'line 999');
  const mark = lines.findIndex((line) => line.startsWith('['));
  assert.equal(lines[mark], `[${1_000 - (lines.length - 1)} left out]`);
  assert.ok(lines.join('\n').length < 300);
});

test('after a gap was taken out, the next lines follow without one', () => {
  const buffer = create(40);
  for (let n = 0; n < 100; n += 1) buffer.push('0123456789');
  takeAll(buffer);
  buffer.push('next');
  assert.deepEqual(takeAll(buffer), ['next']);
});

test('a bound is one of memory: a million lines keep no more than it', () => {
  const buffer = create(64 * 1024);
  for (let n = 0; n < 200_000; n += 1) buffer.push('x'.repeat(60));
  const bytes = takeAll(buffer).reduce((sum, line) => sum + line.length, 0);
  assert.ok(bytes <= 64 * 1024);
});
