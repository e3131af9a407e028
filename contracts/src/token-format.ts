import type { Role } from './routes.ts';

/** The roles whose tokens are looked up; a job's token is signed instead. */
export type LookupRole = Exclude<Role, 'job'>;

/** Crockford's base 32: no digit is mistaken for another when it is read aloud. */
const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz';
export const TOKEN_SECRET_BYTES = 20;
/** The role as it is spelled inside a token, where `_` divides and `:` would not survive a double click. */
export const ROLE_SPELLINGS: Readonly<Record<LookupRole, string>> = {
  viewer: 'viewer',
  operator: 'operator',
  admin: 'admin',
  'agent:coding': 'agent-coding',
  'agent:testing': 'agent-testing',
  'agent:deployment': 'agent-deployment',
  'agent:monitoring': 'agent-monitoring',
  gateway: 'gateway',
};
/** `secret` are `TOKEN_SECRET_BYTES` unpredictable bytes. */
export function composeToken(role: LookupRole, secret: Uint8Array): string {
  const start = `dbox_${ROLE_SPELLINGS[role]}_${toBase32(secret)}`;
  return `${start}_${checksumOf(start)}`;
}

/** 30 bits: a checksum, not a secret; it keeps typos and cut-off tokens away from the store. */
export function checksumOf(text: string): string {
  let rest = crc32(text) & 0x3fffffff;
  let digits = '';
  for (let n = 0; n < 6; n += 1) {
    digits = DIGITS[rest & 31] + digits;
    rest >>>= 5;
  }
  return digits;
}

export function toBase32(bytes: Uint8Array): string {
  let digits = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      digits += DIGITS[(held >>> bits) & 31];
      held &= (1 << bits) - 1;
    }
  }
  return digits;
}

/** The usual one (IEEE), of text without characters beyond ASCII. */
function crc32(text: string): number {
  let rest = ~0;
  for (let n = 0; n < text.length; n += 1) {
    rest ^= text.charCodeAt(n);
    for (let bit = 0; bit < 8; bit += 1) rest = (rest >>> 1) ^ (0xedb88320 & -(rest & 1));
  }
  return ~rest >>> 0;
}
