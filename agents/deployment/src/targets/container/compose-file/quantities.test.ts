import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBytes, parseDurationMs, splitWords } from './quantities.ts';

test('sizes and durations are read as Compose writes them', () => {
  const bytes = ['1024', '1k', '1.5gb', '2 MB', '512B'].map(parseBytes);
  assert.deepEqual(bytes, [1024, 1024, 1.5 * 1024 ** 3, 2 * 1024 ** 2, 512]);
  assert.deepEqual(['', 'm', '-1', '1x', '1e9', 'NaN'].map(parseBytes), [null, null, null, null, null, null]);
  const durations = ['10s', '1m30s', '500ms', '1.5h', '0', '100us'].map(parseDurationMs);
  assert.deepEqual(durations, [10_000, 90_000, 500, 5_400_000, 0, 0]);
  assert.deepEqual(['10', '', 's', '1d', '25h', '-1s', '1s '].map(parseDurationMs), Array(7).fill(null));
});

test('a command is split as a shell would, and nothing of it is expanded', () => {
  assert.deepEqual(splitWords(`a 'b c' "d \\" e" f\\ g "" $HOME *`), [
    'a',
    'b c',
    'd " e',
    'f g',
    '',
    '$HOME',
    '*',
  ]);
  assert.deepEqual(splitWords('"a\\nb"'), ['a\\nb']);
  assert.deepEqual(splitWords('  '), []);
  assert.equal(splitWords('a "b'), null);
});
