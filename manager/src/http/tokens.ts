import { createHmac, createSecretKey, hash, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';
import type { LookupRole } from '@dbox/contracts';
import { checksumOf, composeToken, ROLE_SPELLINGS, TOKEN_SECRET_BYTES, toBase32 } from '@dbox/contracts';

/**
 * Bearer tokens. A person's, agent's or gateway's token is
 * `dbox_<role>_<32 base-32 digits = 160 random bits>_<6-digit checksum>`; the store keeps its SHA-256
 * alone. A job's token is `dbox_job_<job id>_<fence>_<mac>`: nothing of it is stored, the mac proves
 * that the box gave it out.
 */

export type ParsedToken =
  | { readonly kind: 'lookup'; readonly role: LookupRole }
  | { readonly kind: 'job'; readonly jobId: string; readonly fence: number; readonly mac: string };

/** What a job token was given for. */
export interface JobGrant {
  readonly jobId: string;
  readonly fence: number;
}

/** 160 of SHA-256's 256 bits: what is forged must be guessed online, at one request a guess. */
const MAC_BYTES = 20;

const ROLE_OF_SPELLING = new Map(
  Object.entries(ROLE_SPELLINGS).map(([role, spelling]) => [spelling, role as LookupRole]),
);

const LOOKUP_TOKEN = /^(dbox_([a-z-]{1,20})_[0-9a-hjkmnp-tv-z]{32})_([0-9a-hjkmnp-tv-z]{6})$/;
const JOB_TOKEN = /^dbox_job_(job_[0-9a-hjkmnp-tv-z]{10})_(0|[1-9][0-9]{0,14})_([0-9a-hjkmnp-tv-z]{32})$/;

/** `random` gives that many unpredictable bytes. */
export function mintToken(
  role: LookupRole,
  random: (byteCount: number) => Uint8Array = (byteCount) => randomBytes(byteCount),
): string {
  return composeToken(role, random(TOKEN_SECRET_BYTES));
}

/** SHA-256 in hex. Unsalted and fast on purpose: 160 random bits cannot be found by trying. */
export function hashToken(token: string): string {
  return hash('sha256', token, 'hex');
}

/** Null for what cannot be a token of this box: a typo, a cut, another program's token. */
export function parseToken(token: string): ParsedToken | null {
  const lookup = LOOKUP_TOKEN.exec(token);
  if (lookup) {
    const role = ROLE_OF_SPELLING.get(lookup[2]!);
    return role !== undefined && checksumOf(lookup[1]!) === lookup[3] ? { kind: 'lookup', role } : null;
  }
  const job = JOB_TOKEN.exec(token);
  return job && { kind: 'job', jobId: job[1]!, fence: Number(job[2]), mac: job[3]! };
}

export function signJobToken(key: Uint8Array, grant: JobGrant): string {
  return `dbox_job_${grant.jobId}_${grant.fence}_${toBase32(macOf(key, grant))}`;
}

/** In constant time, so that a mac cannot be found digit by digit. */
export function verifyJobToken(key: Uint8Array, token: JobGrant & { readonly mac: string }): boolean {
  const expected = Buffer.from(toBase32(macOf(key, token)), 'latin1');
  const given = Buffer.from(token.mac, 'latin1');
  return expected.length === given.length && timingSafeEqual(expected, given);
}

/** Making node's key object costs five times what the mac itself does, and the box has one key. */
const keyObjects = new WeakMap<Uint8Array, KeyObject>();

function macOf(key: Uint8Array, { jobId, fence }: JobGrant): Buffer {
  let keyObject = keyObjects.get(key);
  if (keyObject === undefined) {
    keyObject = createSecretKey(key);
    keyObjects.set(key, keyObject);
  }
  const mac = createHmac('sha256', keyObject).update(`dbox job token\n${jobId}\n${fence}`).digest();
  return mac.subarray(0, MAC_BYTES);
}
