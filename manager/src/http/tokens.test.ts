import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import type { LookupRole } from '@dbox/contracts';
import { mintToken, parseToken, signJobToken, verifyJobToken } from './tokens.ts';

const key = new Uint8Array(32).fill(1);
const grant = { jobId: 'job_0123456789', fence: 12 };

test('a minted token names its role and carries 160 random bits', () => {
  const token = mintToken('agent:coding', (count) => new Uint8Array(count).fill(0xff));
  assert.match(token, /^dbox_agent-coding_z{32}_[0-9a-z]{6}$/);
  assert.deepEqual(parseToken(token), { kind: 'lookup', role: 'agent:coding' });
});

test('two minted tokens differ', () => {
  assert.notEqual(mintToken('viewer'), mintToken('viewer'));
});

test('a token of each role is read back as that role', () => {
  const roles: LookupRole[] = ['viewer', 'operator', 'admin', 'agent:testing', 'agent:deployment', 'gateway'];
  for (const role of roles) assert.deepEqual(parseToken(mintToken(role)), { kind: 'lookup', role });
});

test('every single mistyped letter is caught before any look-up', () => {
  const token = mintToken('operator', (count) => new Uint8Array(count).fill(0x5a));
  for (let at = 0; at < token.length; at += 1) {
    for (const letter of '0az9_-') {
      if (letter === token[at]) continue;
      const typo = token.slice(0, at) + letter + token.slice(at + 1);
      assert.equal(parseToken(typo), null, typo);
    }
  }
});

test('a token that was cut, stretched or belongs to another program is none', () => {
  const token = mintToken('admin');
  for (const wrong of [
    token.slice(0, -1),
    `${token}0`,
    ` ${token}`,
    `${token}\n`,
    'ghp_abc',
    '',
    'dbox_job_x_1_y',
  ]) {
    assert.equal(parseToken(wrong), null, wrong);
  }
});

test('a job token yields the job and fence it was given for', () => {
  const parsed = parseToken(signJobToken(key, grant));
  assert.ok(parsed?.kind === 'job');
  assert.equal(parsed.jobId, grant.jobId);
  assert.equal(parsed.fence, grant.fence);
  assert.ok(verifyJobToken(key, parsed));
});

test('a job token with another job, fence, mac or key is not verified', () => {
  const parsed = parseToken(signJobToken(key, grant));
  assert.ok(parsed?.kind === 'job');
  assert.ok(!verifyJobToken(key, { ...parsed, jobId: 'job_0123456780' }));
  assert.ok(!verifyJobToken(key, { ...parsed, fence: 13 }));
  const otherMac = (parsed.mac[0] === '0' ? '1' : '0') + parsed.mac.slice(1);
  assert.ok(!verifyJobToken(key, { ...parsed, mac: otherMac }));
  assert.ok(!verifyJobToken(new Uint8Array(32).fill(2), parsed));
});

test('the mac is HMAC-SHA256 over job and fence, cut to 160 bits', () => {
  const mac = createHmac('sha256', key).update('dbox job token\njob_0123456789\n12').digest();
  let bits = '';
  for (const byte of mac.subarray(0, 20)) bits += byte.toString(2).padStart(8, '0');
  const digits = bits
    .match(/.{5}/g)!
    .map((five) => '0123456789abcdefghjkmnpqrstvwxyz'[Number.parseInt(five, 2)]);
  assert.equal(signJobToken(key, grant), `dbox_job_job_0123456789_12_${digits.join('')}`);
});

test('a fence with leading zeros is no token, so that one grant has one spelling', () => {
  assert.equal(parseToken(signJobToken(key, grant).replace('_12_', '_012_')), null);
});
