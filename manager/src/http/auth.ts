import type { Role } from '@dbox/contracts';
import type { Caller } from './handlers.ts';
import { hashToken, type JobGrant, parseToken, signJobToken, verifyJobToken } from './tokens.ts';

export { hashToken, mintToken, signJobToken } from './tokens.ts';

/** What the store says of a token's hash. */
export interface FoundToken {
  readonly role: Role;
  readonly revokedAt: string | null;
}

export interface AuthenticatorOptions {
  readonly findByHash: (hash: string) => Promise<FoundToken | null>;
  /** The box's own key, at least 32 random bytes; every manager of the box has the same. */
  readonly jobKey: Uint8Array;
}

/** Null for a token that speaks for nobody. Throws what the store throws. */
export type Authenticate = (token: string) => Caller | null | Promise<Caller | null>;

export interface Authenticator {
  readonly authenticate: Authenticate;
  /** Forgets what was found: to be called once a token was minted, changed or revoked. */
  invalidate(): void;
  /** As the free function, but this authenticator then knows the token without computing its mac again. */
  readonly signJobToken: (grant: JobGrant) => string;
}

/** A box has about eight tokens and some dozens of leases; past this a cache starts anew rather than grow. */
const MAX_CACHED_TOKENS = 256;

/**
 * Look-ups compare SHA-256 hashes by equality, not in constant time: timing could tell at most how
 * the hash of a guess begins, and a guess with a wanted hash cannot be made. Only hits are cached, so
 * guessing fills nothing. Job tokens are verified in constant time, once: a mac costs as much as the
 * rest of the checks together, and what a token grants never changes. Whether its lease still holds
 * is for the use case to say, inside its transaction.
 */
export function createAuthenticator({ findByHash, jobKey }: AuthenticatorOptions): Authenticator {
  if (jobKey.length < 32) throw new RangeError('the key that signs job tokens needs at least 32 bytes');
  const known = new Map<string, Caller>();
  const verified = new Map<string, Caller>();
  let generation = 0;

  function remember(token: string, { jobId, fence }: JobGrant): Caller {
    const caller: Caller = { role: 'job', actor: `job:${jobId}`, job: { jobId, fence } };
    if (verified.size >= MAX_CACHED_TOKENS) verified.clear();
    verified.set(token, caller);
    return caller;
  }

  async function lookUp(tokenHash: string, spelledRole: Role): Promise<Caller | null> {
    const startedIn = generation;
    const found = await findByHash(tokenHash);
    if (!found || found.revokedAt !== null || found.role !== spelledRole) return null;
    const caller: Caller = { role: found.role, actor: found.role, job: null };
    // A look-up that began before a token was revoked must not bring it back.
    if (startedIn === generation) {
      if (known.size >= MAX_CACHED_TOKENS) known.clear();
      known.set(tokenHash, caller);
    }
    return caller;
  }

  return {
    authenticate(token) {
      const caller = verified.get(token);
      if (caller) return caller;
      const parsed = parseToken(token);
      if (!parsed) return null;
      if (parsed.kind === 'job') {
        return verifyJobToken(jobKey, parsed) ? remember(token, parsed) : null;
      }
      const tokenHash = hashToken(token);
      return known.get(tokenHash) ?? lookUp(tokenHash, parsed.role);
    },
    invalidate() {
      generation += 1;
      known.clear();
    },
    signJobToken(grant) {
      const token = signJobToken(jobKey, grant);
      remember(token, grant);
      return token;
    },
  };
}
