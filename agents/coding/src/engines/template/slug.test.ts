import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resourceNameOf, SLUG_PATTERN, singularOf, slugOf } from './slug.ts';

test('a slug is made of Latin letters and digits, with single hyphens', () => {
  assert.equal(slugOf('  Ünïcode & Ærø: 2nd—try! '), 'unicode-r-2nd-try');
  assert.equal(slugOf('../../etc/passwd'), 'etc-passwd');
  assert.equal(slugOf('Straße'), 'stra-e');
});

test('whatever the words, a slug is one, of sixty characters at most, and the same each time', () => {
  for (const text of ['', '---', 'שלום', '🧨', 'a'.repeat(200), 'a-'.repeat(100), '\ud800', '__proto__']) {
    const slug = slugOf(text);
    assert.match(slug, SLUG_PATTERN, text);
    assert.ok(slug.length <= 60);
    assert.equal(slugOf(text), slug);
  }
  assert.notEqual(slugOf('שלום'), slugOf('مرحبا'));
});

test('a resource is named by the last noun of what it is about', () => {
  assert.equal(resourceNameOf('a REST API for managing books'), 'books');
  assert.equal(resourceNameOf('recipe collection'), 'recipes');
  assert.equal(resourceNameOf('a city API'), 'cities');
  assert.equal(resourceNameOf('box'), 'boxes');
  assert.equal(resourceNameOf('שלום'), 'items');
  assert.equal(resourceNameOf('a simple REST service'), 'items');
});

test('one of them is named in the singular', () => {
  for (const [many, one] of Object.entries({
    books: 'book',
    cities: 'city',
    boxes: 'box',
    glass: 'glass',
    'tea-cups': 'tea-cup',
  })) {
    assert.equal(singularOf(many), one);
  }
});
