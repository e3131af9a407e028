import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cut, plainLine, plainText } from './plain-text.ts';

test('colours, cursor moves and window titles leave no trace', () => {
  assert.equal(plainText('\u001b[31mred\u001b[0m \u001b[2J\u001b[1;1Hhome'), 'red home');
  assert.equal(plainText('a\u001b]0;owned\u0007b'), 'ab');
  assert.equal(plainText('a\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\b'), 'alinkb');
  assert.equal(plainText('a\u001bPq\u001b\\b\u009b31mc\u009d0;t\u009cd'), 'abcd');
});

test('an escape sequence without an end takes the rest with it, not the terminal', () => {
  assert.equal(plainText('a\u001b]0;never ends'), 'a');
  assert.equal(plainText('a\u001b'), 'a');
});

test('a lone carriage return cannot write over the line, and bells and deletes are dropped', () => {
  assert.equal(plainText('evil\rgood\b\u0007\u007f'), 'evilgood');
});

test('marks that turn the reading direction are dropped', () => {
  assert.equal(plainText('a\u202egnp.exe\u2066'), 'agnp.exe');
});

test('newlines and tabs stay in a text and become blanks in a line', () => {
  assert.equal(plainText('a\n\tb'), 'a\n\tb');
  assert.equal(plainLine(' a\n\tb '), 'a b');
});

test('other scripts and pictures stay as they are', () => {
  assert.equal(plainText('Grüße, 日本 ✓ 🎉'), 'Grüße, 日本 ✓ 🎉');
});

test('a cut is marked and never splits a character', () => {
  assert.equal(cut('abcdef', 4), 'abc…');
  assert.equal(cut('abcd', 4), 'abcd');
  assert.equal(cut('🎉🎉🎉', 2), '🎉…');
});
