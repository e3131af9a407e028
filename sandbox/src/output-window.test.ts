import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { openOutputWindow } from './output-window.ts';

const bytes = (text: string) => Buffer.from(text, 'utf8');

test('short output is kept whole', () => {
  const window = openOutputWindow({ headBytes: 4, tailBytes: 4 });
  window.add(bytes('abc'));
  window.add(bytes('defgh'));
  assert.deepEqual(window.read(), { head: 'abcd', tail: 'efgh', cutBytes: 0 });
});

test('of long output the first and last bytes are kept and the cut is counted', () => {
  const window = openOutputWindow({ headBytes: 4, tailBytes: 4 });
  for (const piece of ['ab', 'cdef', 'ghijklmno', 'p']) window.add(bytes(piece));
  assert.deepEqual(window.read(), { head: 'abcd', tail: 'mnop', cutBytes: 8 });
});

test('the caller may use its buffer again', () => {
  const window = openOutputWindow({ headBytes: 2, tailBytes: 2 });
  const buffer = bytes('abcd');
  window.add(buffer);
  buffer.fill('x');
  assert.deepEqual(window.read(), { head: 'ab', tail: 'cd', cutBytes: 0 });
});

test('characters are cut between, never inside, and no byte is lost or made up', () => {
  const pieces = fc.array(fc.string({ unit: 'binary', maxLength: 12 }), { maxLength: 12 });
  fc.assert(
    fc.property(pieces, fc.nat(9), fc.nat(9), (texts, headBytes, tailBytes) => {
      const window = openOutputWindow({ headBytes, tailBytes });
      for (const text of texts) window.add(bytes(text));
      const whole = texts.join('').toWellFormed();
      const { head, tail, cutBytes } = window.read();
      assert.ok(whole.startsWith(head) && whole.endsWith(tail), JSON.stringify({ whole, head, tail }));
      assert.equal(bytes(head).length + bytes(tail).length + cutBytes, bytes(whole).length);
    }),
  );
});
