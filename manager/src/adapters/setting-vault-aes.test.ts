import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { SealBrokenError } from '../ports/setting-vault.ts';
import { createSettingVault } from './setting-vault-aes.ts';

const PLACE = { project: 'blog', environment: 'dev', key: 'API_KEY' };
const vault = createSettingVault(randomBytes(32));

test('a value comes back as it was, whatever is in it', () => {
  for (const value of ['', 'secret', 'ä\n"\u2028', 'x'.repeat(32 * 1024)]) {
    const sealed = vault.seal(PLACE, value);
    assert.ok(value === '' || !sealed.includes(value));
    assert.equal(vault.open(PLACE, sealed), value);
  }
});

test('the same value is sealed differently each time, so that nobody sees which are alike', () => {
  assert.notEqual(vault.seal(PLACE, 'same'), vault.seal(PLACE, 'same'));
});

test('another key, another place, or one changed bit: the value is refused', () => {
  const sealed = vault.seal(PLACE, 'secret');
  const bent = Buffer.from(sealed, 'base64');
  bent[bent.length - 1]! ^= 1;
  const refused = (open: () => string) => assert.throws(open, SealBrokenError);
  refused(() => createSettingVault(randomBytes(32)).open(PLACE, sealed));
  refused(() => vault.open({ ...PLACE, environment: 'production' }, sealed));
  refused(() => vault.open({ ...PLACE, key: 'OTHER' }, sealed));
  refused(() => vault.open(PLACE, bent.toString('base64')));
  refused(() => vault.open(PLACE, ''));
});
