import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPost } from '../src/blog.js';
import { readFrontMatter } from '../src/front-matter.js';

const post = (facts, text = 'Text') => `---\n${facts}\n---\n${text}`;

test('a post is read with its facts and text', () => {
  const read = readPost(
    'a-post.md',
    post('title: "A: \\"b\\""\ndate: 2026-01-31\nsummary: Short\ntags: [Big Ideas, "c, d"]'),
  );
  assert.equal(read.slug, 'a-post');
  assert.equal(read.title, 'A: "b"');
  assert.equal(read.date, '2026-01-31');
  assert.equal(read.summary, 'Short');
  assert.deepEqual(read.tags, [
    { name: 'Big Ideas', slug: 'big-ideas' },
    { name: 'c, d', slug: 'c-d' },
  ]);
  assert.match(read.html, /Text/);
});

test('tags and summary may be left out', () => {
  const read = readPost('a.md', post('title: A\ndate: 2026-01-31'));
  assert.deepEqual(read.tags, []);
  assert.equal(read.summary, '');
});

test('a post that is wrong is refused with the name of its file', () => {
  const cases = [
    ['a.md', 'no facts at all', /begin with front matter/],
    ['a.md', post('date: 2026-01-31'), /no title/],
    ['a.md', post('title: A'), /date must be a day/],
    ['a.md', post('title: A\ndate: 2026-02-31'), /date must be a day/],
    ['a.md', post('title: A\ndate: yesterday'), /date must be a day/],
    ['a.md', post('title: "A\ndate: 2026-01-31'), /not well quoted/],
    ['a.md', post('title: A\ntags: [a'), /not closed/],
    ['a.md', post('title'), /no "name: value"/],
    ['Ä.md', post('title: A\ndate: 2026-01-31'), /small letters/],
  ];
  for (const [name, source, message] of cases) {
    assert.throws(() => readPost(name, source), message);
    assert.throws(() => readPost(name, source), new RegExp(`^Error: posts/${name}: `));
  }
});

test('front matter ends at its own line of hyphens, not at one in the text', () => {
  const { facts, text } = readFrontMatter('---\r\ntitle: A\r\n# a note\r\n---\r\none\r\n---\r\ntwo');
  assert.deepEqual(facts, { title: 'A' });
  assert.equal(text, 'one\n---\ntwo');
});
