import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from './clock.ts';
import { MAX_LINE_BYTES, MAX_LINES_PER_SECOND, openLineReader } from './line-reader.ts';

function openReader() {
  let nowMs = 0;
  const clock: Clock = { nowMs: () => nowMs, after: () => () => {} };
  const lines: string[] = [];
  const reader = openLineReader(clock, (line) => lines.push(line));
  return {
    lines,
    add: (text: string) => reader.add(Buffer.from(text)),
    end: () => reader.end(),
    passSecond: () => {
      nowMs += 1_000;
    },
  };
}

test('lines are cut wherever the pieces break', () => {
  const { lines, add, end } = openReader();
  for (const piece of ['on', 'e\ntwo\r\n\nth', 'ree', '\nlast']) add(piece);
  end();
  assert.deepEqual(lines, ['one', 'two', '', 'three', 'last']);
});

test('an endless line is held and handed on only up to its bound', () => {
  const { lines, add, end } = openReader();
  for (let i = 0; i < 40; i += 1) add('x'.repeat(1024));
  add('\nnext\n');
  end();
  assert.equal(lines.length, 2);
  assert.equal(
    lines[0],
    `${'x'.repeat(MAX_LINE_BYTES)} [… ${40 * 1024 - MAX_LINE_BYTES} more bytes in this line]`,
  );
  assert.equal(lines[1], 'next');
});

test('past the rate lines are dropped, the gap is marked, and whole lines go on in the next second', () => {
  const { lines, add, end, passSecond } = openReader();
  add('a\n'.repeat(MAX_LINES_PER_SECOND));
  add('lost\nbro');
  passSecond();
  add('ken\nwhole\n');
  end();
  assert.deepEqual(lines.slice(MAX_LINES_PER_SECOND), [
    `[… ${'lost\nbroken\n'.length} bytes left out: too much output at once]`,
    'whole',
  ]);
});

test('a gap at the very end is marked too', () => {
  const { lines, add, end } = openReader();
  add('a\n'.repeat(MAX_LINES_PER_SECOND + 3));
  end();
  assert.equal(lines.at(-1), '[… 6 bytes left out: too much output at once]');
});
