import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { labelOf } from './adapters/store-sql/index.ts';
import { ConfigError } from './config-error.ts';
import { parseStoreAddress, speaksInTheClear } from './store-address.ts';

test('nothing is the file of the workspace', () => {
  assert.equal(parseStoreAddress('', ''), null);
  assert.equal(parseStoreAddress(undefined, undefined), null);
});

test('an address names host, port, database and user; the port has its default', () => {
  assert.deepEqual(parseStoreAddress('postgres://dbox@db.example:6543/box', undefined), {
    host: 'db.example',
    port: 6543,
    database: 'box',
    user: 'dbox',
    password: { kind: 'none' },
    tls: 'disable',
    rootCertificateFile: null,
  });
  const six = parseStoreAddress('postgresql://me@[::1]/box', undefined);
  assert.deepEqual([six?.host, six?.port], ['::1', 5432]);
});

test('the password stands in the address, percent-encoded, or in a file', () => {
  const inText = parseStoreAddress('postgres://a%40b:p%2Fw%3A1@h/d', undefined);
  assert.deepEqual([inText?.user, inText?.password], ['a@b', { kind: 'text', text: 'p/w:1' }]);
  const inFile = parseStoreAddress('postgres://a@h/d', 'secrets/db');
  assert.deepEqual(inFile?.password, { kind: 'file', path: resolve('secrets/db') });
});

test('what is shown of an address holds no password', () => {
  const address = parseStoreAddress('postgres://me:canary@[::1]:5433/my%20box', undefined);
  assert.equal(labelOf(address!), 'postgres://me@[::1]:5433/my%20box');
});

test('what is shown of an address, set as DBOX_STORE, speaks to the server as before', () => {
  for (const query of [
    '',
    '?sslmode=require',
    '?sslmode=verify-full&sslrootcert=/etc/my%20%26%20our/ca.pem',
  ]) {
    const text = `postgres://me@db.example:5433/box${query}`;
    const address = parseStoreAddress(text, undefined)!;
    assert.equal(labelOf(address), text);
    assert.deepEqual(parseStoreAddress(labelOf(address), undefined), address);
  }
});

test('sslmode is heeded, and a mode that may fall back to the clear is refused', () => {
  const modeOf = (query: string) => parseStoreAddress(`postgres://a@h/d?${query}`, undefined)?.tls;
  assert.equal(modeOf('sslmode=require'), 'require');
  assert.equal(modeOf('sslmode=verify-full&sslrootcert=/etc/ca.pem'), 'verify-full');
  for (const query of ['sslmode=prefer', 'sslmode=allow', 'sslmode=', 'sslmode=verify-ful', 'ssl=true']) {
    assert.throws(() => modeOf(query), ConfigError, query);
  }
  assert.throws(() => modeOf('sslmode=verify-ca&sslrootcert=ca.pem'), /absolute/);
  assert.throws(() => modeOf('sslmode=require&sslrootcert=/ca.pem'), /verify/);
});

test('what cannot be used is refused without repeating it', () => {
  for (const [text, file] of [
    ['canary', ''],
    ['mysql://a:canary@h/d', ''],
    ['postgres://a:canary@h', ''],
    ['postgres://:canary@h/d', ''],
    ['postgres://a:canary%@h/d', ''],
    ['postgres://a:canary@h/d/e', ''],
    ['postgres://a:canary@h/d', '/secrets/db'],
    ['postgres://a:canary@h/d?options=x', ''],
    ['', '/secrets/db'],
  ] as const) {
    assert.throws(
      () => parseStoreAddress(text, file),
      (error) => error instanceof ConfigError && !error.message.includes('canary'),
      text,
    );
  }
});

test('only a server on this machine or its own networks may be spoken to in the clear without a word', () => {
  const clear = (text: string) => speaksInTheClear(parseStoreAddress(text, undefined)!);
  assert.deepEqual(
    ['127.0.0.1', 'localhost', '[::1]', 'task-store', 'db.example', '10.0.0.7', '[fd00::7]'].map((host) =>
      clear(`postgres://a@${host}/d`),
    ),
    [false, false, false, false, true, true, true],
  );
  assert.equal(clear('postgres://a@db.example/d?sslmode=require'), false);
});
