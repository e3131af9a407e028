import { randomBytes } from 'node:crypto';
import type { IdSource } from '../ports/id-source.ts';

/** Crockford's base 32: no i, l, o, u, so an id that is read aloud or copied by hand stays the same. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const DIGITS = 10;

/** Ten random digits, 50 bits: among a million ids of one kind a collision has odds of about 1 in 2,000, and the store's unique index refuses it. */
export function createRandomIds(): IdSource {
  return {
    next(prefix) {
      // The alphabet has 32 digits, so the low five bits of a byte choose evenly.
      const digits = Array.from(randomBytes(DIGITS), (byte) => ALPHABET[byte & 31]);
      return `${prefix}_${digits.join('')}`;
    },
  };
}
