import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_LOG_LINE_BYTES } from '@dbox/contracts';
import { cutLine, linesOf } from './log-lines.ts';

test('output is split at every kind of line break, without an empty last line', () => {
  assert.deepEqual(linesOf('a\nb\r\nc\rd\n'), ['a', 'b', 'c', 'd']);
  assert.deepEqual(linesOf(''), ['']);
  assert.deepEqual(linesOf('a\n\nb'), ['a', '', 'b']);
});

test('a long line is cut at what the manager takes, never inside of a character, and says so', () => {
  for (const character of ['x', 'ü', '€', '🧨']) {
    const cut = cutLine(character.repeat(20_000));
    assert.ok(Buffer.byteLength(cut) <= MAX_LOG_LINE_BYTES, character);
    assert.ok(Buffer.byteLength(cut) > MAX_LOG_LINE_BYTES - 8, character);
    assert.match(cut, /… \(\d+ bytes\)$/);
    assert.ok(!cut.includes('\ufffd'), character);
  }
  const fits = 'x'.repeat(MAX_LOG_LINE_BYTES);
  assert.equal(cutLine(fits), fits);
});
