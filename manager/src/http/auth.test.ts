import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuthenticator, type FoundToken, hashToken, mintToken, signJobToken } from './auth.ts';

const jobKey = new Uint8Array(32).fill(1);

function withTokens(found: Map<string, FoundToken>) {
  const asked: string[] = [];
  const authenticator = createAuthenticator({
    jobKey,
    findByHash: async (hash) => {
      asked.push(hash);
      return found.get(hash) ?? null;
    },
  });
  return { asked, ...authenticator };
}

test('a known token speaks for its role and is looked up once', async () => {
  const token = mintToken('operator');
  const { authenticate, asked } = withTokens(
    new Map([[hashToken(token), { role: 'operator', revokedAt: null }]]),
  );
  const caller = { role: 'operator', actor: 'operator', job: null };
  assert.deepEqual(await authenticate(token), caller);
  assert.deepEqual(await authenticate(token), caller);
  assert.equal(asked.length, 1);
});

test('a revoked token speaks for nobody once the cache is told', async () => {
  const token = mintToken('admin');
  const found = new Map<string, FoundToken>([[hashToken(token), { role: 'admin', revokedAt: null }]]);
  const { authenticate, invalidate } = withTokens(found);
  assert.ok(await authenticate(token));
  found.set(hashToken(token), { role: 'admin', revokedAt: '2026-01-01T00:00:00.000Z' });
  invalidate();
  assert.equal(await authenticate(token), null);
});

test('a look-up that began before a revocation does not bring the token back', async () => {
  const token = mintToken('admin');
  const answers: ((found: FoundToken | null) => void)[] = [];
  const { authenticate, invalidate } = createAuthenticator({
    jobKey,
    findByHash: () => new Promise((resolve) => answers.push(resolve)),
  });
  const early = authenticate(token);
  invalidate();
  answers[0]!({ role: 'admin', revokedAt: null });
  await early;
  const late = authenticate(token);
  answers[1]!(null);
  assert.equal(await late, null);
});

test('an unknown token speaks for nobody and a mistyped one is not even looked up', async () => {
  const { authenticate, asked } = withTokens(new Map());
  assert.equal(await authenticate(mintToken('viewer')), null);
  assert.equal(asked.length, 1);
  assert.equal(await authenticate('dbox_viewer_nonsense'), null);
  assert.equal(asked.length, 1);
});

test('a token whose stored role is not the one it is spelled with speaks for nobody', async () => {
  const token = mintToken('viewer');
  const { authenticate } = withTokens(new Map([[hashToken(token), { role: 'admin', revokedAt: null }]]));
  assert.equal(await authenticate(token), null);
});

test('a job token needs no look-up, whoever signed it with the key of the box', async () => {
  const { authenticate, asked, signJobToken: sign } = withTokens(new Map());
  const grant = { jobId: 'job_0123456789', fence: 2 };
  const caller = { role: 'job', actor: 'job:job_0123456789', job: grant };
  assert.deepEqual(await authenticate(sign(grant)), caller);
  assert.deepEqual(await authenticate(signJobToken(jobKey, { ...grant, fence: 3 })), {
    ...caller,
    job: { ...grant, fence: 3 },
  });
  assert.equal(await authenticate(signJobToken(new Uint8Array(32).fill(9), grant)), null);
  assert.equal(asked.length, 0);
});

test('a key too short to sign with is refused', () => {
  assert.throws(
    () => createAuthenticator({ jobKey: new Uint8Array(31), findByHash: async () => null }),
    RangeError,
  );
});
