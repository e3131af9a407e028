import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dependentsOf, freeName, suffixIds } from './plan-graph.ts';

const task = (id: string, ...dependsOn: string[]) => ({ id, dependsOn });

test('dependents are found through any number of steps, in any order of the list', () => {
  const tasks = [task('d', 'c'), task('c', 'b'), task('b', 'a'), task('a'), task('x')];
  assert.deepEqual([...dependentsOf(tasks, new Set(['a']))].sort(), ['b', 'c', 'd']);
});

test('what is dead itself is no dependent, and a cycle ends the search', () => {
  assert.deepEqual([...dependentsOf([task('a', 'b'), task('b', 'a')], new Set(['a']))], ['b']);
});

test('a renamed plan has one suffix for all, free for each, within 80 characters', () => {
  assert.deepEqual(
    [...suffixIds(['a', 'b'], new Set(['a', 'b-2']))],
    [
      ['a', 'a-3'],
      ['b', 'b-3'],
    ],
  );
  const long = 'x'.repeat(80);
  assert.equal(suffixIds([long], new Set([long])).get(long)!.length, 80);
});

test('long ids that differ only where they are cut are told apart by numbers of their own', () => {
  const ids = [`${'x'.repeat(79)}a`, `${'x'.repeat(79)}b`];
  assert.deepEqual(
    [...suffixIds(ids, new Set(ids)).values()],
    [`${'x'.repeat(78)}-2`, `${'x'.repeat(78)}-3`],
  );
});

test('a taken name gets the first free number and stays a project name', () => {
  assert.equal(freeName('blog', new Set()), 'blog');
  assert.equal(freeName('blog', new Set(['blog', 'blog-2'])), 'blog-3');
  const long = `${'a'.repeat(45)}-bc`;
  assert.match(freeName(long, new Set([long])), /^a{45}-2$/);
});
