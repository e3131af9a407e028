import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readResource } from '../src/resource.js';
import { readFields } from '../src/validate.js';

const good = {
  name: 'books',
  singular: 'book',
  title: 'Books',
  description: '',
  fields: { name: { type: 'string' } },
};
const read = (parts, fileName = 'books.json') =>
  readResource(fileName, JSON.stringify({ ...good, ...parts }));

test('a resource is read from its file', () => {
  assert.deepEqual(read({}), good);
});

test('a resource that is wrong is refused with the name of its file', () => {
  const cases = [
    [{ name: '../x' }, /small letters/],
    [{ name: 'films' }, /must be called films.json/],
    [{ title: 7 }, /title must be a text/],
    [{ fields: {} }, /at least one field/],
    [{ fields: { id: { type: 'string' } } }, /cannot be called id/],
    [{ fields: { name: { type: 'date' } } }, /type must be one of/],
  ];
  for (const [parts, message] of cases) {
    assert.throws(() => read(parts), message);
    assert.throws(() => read(parts), /^Error: resources\/books\.json: /);
  }
  assert.throws(() => read({ name: 'healthz' }, 'healthz.json'), /taken by the service/);
});

const resource = {
  fields: {
    name: { type: 'string', required: true, maxLength: 3 },
    note: { type: 'string' },
    done: { type: 'boolean', default: false },
    count: { type: 'integer', minimum: 0, maximum: 9 },
    tags: { type: 'strings', maxItems: 2, maxLength: 3 },
  },
};
const errorsOf = (body, partial = false) => {
  try {
    readFields(resource, body, { partial });
    return [];
  } catch (problem) {
    return problem.more.body.errors.map(({ field }) => field);
  }
};

test('fields that are missing get their default', () => {
  assert.deepEqual(readFields(resource, { name: 'abc' }, { partial: false }), {
    name: 'abc',
    note: null,
    done: false,
    count: null,
    tags: [],
  });
  assert.deepEqual(readFields(resource, { done: true }, { partial: true }), { done: true });
});

test('each kind of field refuses what it is not', () => {
  assert.deepEqual(errorsOf({}), ['name']);
  assert.deepEqual(errorsOf({ name: null }, true), ['name']);
  assert.deepEqual(errorsOf({ name: ' ' }), ['name']);
  assert.deepEqual(errorsOf({ name: 'abcd' }), ['name']);
  assert.deepEqual(errorsOf({ name: '\ud800' }), ['name']);
  assert.deepEqual(errorsOf({ done: 'yes', count: 1.5, tags: 'x' }, true), ['done', 'count', 'tags']);
  assert.deepEqual(errorsOf({ count: -1 }, true), ['count']);
  assert.deepEqual(errorsOf({ tags: ['a', 'b', 'c'] }, true), ['tags']);
  assert.deepEqual(errorsOf({ tags: [''] }, true), ['tags']);
});

test('length is counted as people do, and names of an object itself are no fields', () => {
  assert.deepEqual(errorsOf({ name: '🧨🧨🧨' }), []);
  assert.deepEqual(errorsOf(JSON.parse('{"__proto__": 1, "constructor": 2}'), true), [
    '__proto__',
    'constructor',
  ]);
});
