import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readIgnorePatterns } from './ignore-patterns.ts';

const ignored = (patterns: string, paths: readonly string[]) => {
  const ignores = readIgnorePatterns(patterns);
  return paths.filter((path) => ignores(path));
};

test('a name is one at the root, and all that lies in it', () => {
  assert.deepEqual(ignored('node_modules', ['node_modules', 'node_modules/a/b', 'x/node_modules']), [
    'node_modules',
    'node_modules/a/b',
  ]);
});

test('stars stay within one segment, two of them do not', () => {
  assert.deepEqual(ignored('*.md', ['a.md', 'x/a.md']), ['a.md']);
  assert.deepEqual(ignored('**/*.md', ['a.md', 'x/a.md', 'x/y/a.md', 'x/a.mdx']), [
    'a.md',
    'x/a.md',
    'x/y/a.md',
  ]);
  assert.deepEqual(ignored('src/**/test', ['src/test', 'src/a/b/test', 'src/tests']), [
    'src/test',
    'src/a/b/test',
  ]);
});

test('the last match decides, so an exception brings back', () => {
  assert.deepEqual(ignored('*.md\n!README.md', ['a.md', 'README.md']), ['a.md']);
  assert.deepEqual(ignored('!README.md\n*.md', ['README.md']), ['README.md']);
});

test('comments, blank lines, slashes at the ends and classes are read as Docker does', () => {
  assert.deepEqual(
    ignored('# no\n\n/dist/\n./tmp\n[ab].js\n?.css', ['dist/x', 'tmp', 'a.js', 'c.js', 'x.css']),
    ['dist/x', 'tmp', 'a.js', 'x.css'],
  );
});

test('within a segment stars, classes and escapes are read as Docker does', () => {
  assert.deepEqual(ignored('a*b*c', ['abc', 'aXbYc', 'abcb', 'aXbcYbc', 'ab']), ['abc', 'aXbYc', 'aXbcYbc']);
  assert.deepEqual(ignored('[a-c]x[^0-9]', ['axq', 'dxq', 'bx1', 'bx']), ['axq']);
  assert.deepEqual(ignored('\\*.md', ['*.md', 'a.md']), ['*.md']);
  assert.deepEqual(ignored('a[b', ['a[b', 'ab']), ['a[b']);
  assert.deepEqual(ignored('?\u00e9', ['\u{1f600}\u00e9', '\u00e9']), ['\u{1f600}\u00e9']);
});

test('a hostile pattern takes no time', () => {
  const many = readIgnorePatterns(`${'*a'.repeat(12)}b`);
  const startedManyAtMs = performance.now();
  assert.equal(many('a'.repeat(40)), false);
  assert.ok(performance.now() - startedManyAtMs < 500);
  const ignores = readIgnorePatterns(`${'**/'.repeat(200)}x`);
  const startedAtMs = performance.now();
  assert.equal(ignores(`${'a/'.repeat(200)}y`), false);
  assert.ok(performance.now() - startedAtMs < 500);
});
