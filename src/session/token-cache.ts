import { LruMap } from 'toad-cache';
import type { Claims } from '../identity/identity.ts';
import { checkTimes, type VerifySession } from './claims.ts';

/** Half a minute's worth of CometChat's whole quota, should each call be another user's. */
const MOST_TOKENS = 10_000;
/** A longer one is verified each time: what is remembered has a bound in bytes, too. */
const LONGEST_TOKEN = 2048;

/**
 * Verifies each token once, as long as the keys stay the same, and remembers its claims: a signature says nothing new
 * the second time. Its times are held against the clock each time; whether it was revoked is for the caller to ask.
 *
 * @param keysInUse what tokens are verified with: another object makes all tokens strangers again
 * @param now the clock
 */
export function rememberVerified(
  verify: VerifySession,
  keysInUse: () => unknown,
  now: () => Date = () => new Date(),
): VerifySession {
  const verified = new LruMap<Claims>(MOST_TOKENS);
  let keys = keysInUse();
  return async (token) => {
    if (keys !== keysInUse()) {
      keys = keysInUse();
      verified.clear();
    }
    const known = verified.get(token);
    if (known) {
      checkTimes(known, now());
      return known;
    }
    const keysOfNow = keys;
    const claims = await verify(token);
    if (token.length <= LONGEST_TOKEN && keysOfNow === keysInUse()) verified.set(token, claims);
    return claims;
  };
}
