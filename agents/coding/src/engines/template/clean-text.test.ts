import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cleanLine, cleanText, summarize, withoutAsking } from './clean-text.ts';

test('a line has no control characters, no line breaks and nothing that turns text around', () => {
  assert.equal(cleanLine(' a\u0000b\r\n\tc\u202ed\u2066 e ', 100), 'a b cd e');
  assert.equal(cleanLine('e\u0301', 100), 'é');
  assert.ok(cleanLine('a\ud800b', 100).isWellFormed());
});

test('a line is cut between characters, and the cut is shown', () => {
  assert.equal(cleanLine('🧨🧨🧨🧨', 3), '🧨🧨…');
  assert.equal(cleanLine('abc', 3), 'abc');
});

test('a text keeps its lines and loses what cannot be seen', () => {
  assert.equal(cleanText('\n\na\r\nb  \u0007\r\rc\n\n\n\nd\u2028e\n', 100), 'a\nb\n\nc\n\nd\ne');
  assert.equal(cleanText('x'.repeat(10), 4), 'xxx…');
});

test('a text is summarized by its first sentence, else by its beginning', () => {
  assert.equal(summarize('A site about tea. And more.\n\nMore.', 100), 'A site about tea.');
  assert.equal(summarize('No end\nin sight\n\nMore.', 100), 'No end in sight');
  assert.equal(summarize(`Version 2.0 ${'is out '.repeat(40)}`, 20), 'Version 2.0 is out…');
  assert.equal(summarize('', 100), '');
});

test('a description leaves out the asking', () => {
  assert.equal(withoutAsking('Develop and run a blog site'), 'A blog site');
  assert.equal(withoutAsking('Please build me a REST API for books.'), 'A REST API for books.');
  assert.equal(withoutAsking('Create, deploy and run our home page'), 'Our home page');
  assert.equal(withoutAsking('Could you make the shop'), 'The shop');
  assert.equal(withoutAsking('Make tea fast'), 'Make tea fast');
  assert.equal(withoutAsking('We rehearse on Tuesdays'), 'We rehearse on Tuesdays');
  assert.equal(withoutAsking(''), '');
});
