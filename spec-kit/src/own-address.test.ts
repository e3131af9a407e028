import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readOwnAddress } from './own-address.ts';

test('every way to name the project gives its path and query', () => {
  const addresses = {
    'http://devsite:8080': '/',
    'http://devsite/a/b?c=d&e': '/a/b?c=d&e',
    'http://localhost:3000/x': '/x',
    'http://blog.localhost:8080/x': '/x',
    'http://api.blog.localhost/x': '/x',
    'http://127.0.0.1/x': '/x',
    'HTTP://DEVSITE/X': '/X',
    '/x/../y': '/y',
    '/': '/',
    '/?q=http://other.example': '/?q=http://other.example',
    'http://devsite//x': '//x',
  };
  for (const [url, path] of Object.entries(addresses)) assert.deepEqual(readOwnAddress(url), { path }, url);
});

test('any other host, and every trick that hides one, is refused', () => {
  const refused = [
    'http://example.com/',
    'http://169.254.169.254/latest/meta-data',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://0.0.0.0/',
    'http://10.0.0.1/',
    'http://devsite.example.com/',
    'http://devsite@example.com/',
    'http://user:secret@devsite/',
    'http://localhost.example.com/',
    'http://evillocalhost/',
    'http://.localhost/',
    '//example.com/',
    '/\\example.com/',
    'http:\\\\example.com',
    'http:/example.com',
    'https://devsite/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'devsite:8080',
    'x',
    '',
    '/a b',
    '/a\tb',
    '\u0000/',
    ' /',
    '/x#y',
    'http://devsite:99999/',
  ];
  for (const url of refused) {
    const read = readOwnAddress(url);
    assert.ok('code' in read, url);
    assert.equal(read.code, 'bad_url');
    assert.ok(read.hint.length > 0);
  }
});
