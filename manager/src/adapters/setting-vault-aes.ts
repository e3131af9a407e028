import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { SettingPlace, SettingVault } from '../ports/setting-vault.ts';
import { SealBrokenError } from '../ports/setting-vault.ts';

/** NIST SP 800-38D: 96 bits, random, are safe for far more values than a box ever keeps. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** AES-256-GCM. Sealed is base64 of nonce, tag and cipher text. */
export function createSettingVault(key: Uint8Array): SettingVault {
  return {
    seal(place, value) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(nameOf(place));
      const text = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64');
    },
    open(place, sealed) {
      const bytes = Buffer.from(sealed, 'base64');
      const [nonce, tag, text] = [
        bytes.subarray(0, NONCE_BYTES),
        bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES),
        bytes.subarray(NONCE_BYTES + TAG_BYTES),
      ];
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
          .setAAD(nameOf(place))
          .setAuthTag(tag);
        return Buffer.concat([decipher.update(text), decipher.final()]).toString('utf8');
      } catch (cause) {
        const where = `${place.key} of ${place.project}/${place.environment}`;
        throw new SealBrokenError(`the value of ${where} cannot be decrypted`, { cause });
      }
    },
  };
}

/** None of the three can hold a slash. */
function nameOf({ project, environment, key }: SettingPlace): Buffer {
  return Buffer.from(`${project}/${environment}/${key}`);
}
