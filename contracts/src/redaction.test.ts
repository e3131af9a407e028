import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { createRedactor } from './redaction.ts';

const html = (text: string) =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
/** As an encoder that leaves nothing but ASCII. */
const asciiJson = (text: string) =>
  JSON.stringify(text).replaceAll(
    /[^ -~]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0').toUpperCase()}`,
  );

const WAYS: Readonly<Record<string, (value: string) => string>> = {
  plain: (value) => value,
  JSON: (value) => JSON.stringify({ nested: { value } }),
  'JSON in JSON': (value) => JSON.stringify(JSON.stringify({ value })),
  'JSON in ASCII': asciiJson,
  'a component of an address': encodeURIComponent,
  'an address encoded twice': (value) => encodeURIComponent(encodeURIComponent(value)),
  'a form': (value) => new URLSearchParams({ value }).toString(),
  'node’s own view of an object': (value) => inspect({ value }),
  HTML: html,
};

test('a value is replaced by its key whichever way it was written down', () => {
  const value = 'pa$$ word/"with"\\back<&>slash\' + ü😀=100%';
  const redact = createRedactor({ DB_URL: value, OTHER: 'something else' });
  for (const [name, write] of Object.entries(WAYS)) {
    const text = redact(`before ${write(value)} after`);
    assert.match(text, /\[DB_URL\]/, `${name}: ${text}`);
    assert.doesNotMatch(text, /word|slash|100%/, `${name}: ${text}`);
    assert.match(text, /^before .* after$/s);
  }
});

test('no value of whatever letters comes through', () => {
  const letters = fc
    .string({ unit: 'binary', minLength: 6, maxLength: 40 })
    .filter((text) => text.isWellFormed());
  fc.assert(
    fc.property(
      letters,
      fc.constantFrom('plain', 'JSON', 'JSON in JSON', 'a component of an address'),
      (value, way) => {
        const text = createRedactor({ KEY: value })(`<${WAYS[way]!(value)}>`);
        assert.ok(text.includes('[KEY]'), text);
      },
    ),
    { numRuns: 300 },
  );
});

test('a value of several lines is found line by line, and in base64', () => {
  const value = '-----BEGIN KEY-----\nMIIEvQIBADANBg\nabc\n-----END KEY-----\n';
  const redact = createRedactor({ PEM: value });
  assert.equal(redact('read MIIEvQIBADANBg ok'), 'read [PEM] ok');
  assert.equal(redact(JSON.stringify(value)), '"[PEM]"');
  assert.match(redact(`Basic ${Buffer.from('a secret thing').toString('base64')}`), /Basic/);
  const basic = createRedactor({ TOKEN: 'a secret thing' });
  assert.match(basic(`Basic ${Buffer.from('a secret thing').toString('base64')}`), /^Basic \[TOKEN\].{0,4}$/);
});

test('a value inside of another, and a short one, leave no trace of the long one and all of the text', () => {
  const redact = createRedactor({
    HOST: 'db.example.org',
    URL: 'postgres://u:p@db.example.org/x',
    DEBUG: 'true',
  });
  assert.equal(redact('to postgres://u:p@db.example.org/x'), 'to [URL]');
  assert.equal(redact('at db.example.org it is true'), 'at [HOST] it is true');
});

test('the beginning of a value where a line was cut off is replaced too', () => {
  const redact = createRedactor({ TOKEN: 'canary-4711-canary' });
  assert.equal(
    redact('x canary-4711-c [… 12 more bytes in this line]'),
    'x [TOKEN] [… 12 more bytes in this line]',
  );
  assert.equal(redact('answered "canary-4711…" at a'), 'answered "[TOKEN]…" at a');
  assert.equal(redact('waiting …'), 'waiting …');
});

test('hostile texts and values take no time', () => {
  const value = `${'\\'.repeat(300)}"${'%'.repeat(300)} ${'a'.repeat(30_000)}`;
  const redact = createRedactor({ A: value, B: '\\"'.repeat(100) });
  const startedMs = performance.now();
  for (const text of ['\\'.repeat(8000), '\\"'.repeat(4000), '%25'.repeat(2600), `${'a'.repeat(8000)}…`])
    redact(text);
  assert.ok(performance.now() - startedMs < 1_000);
});
