import { LruMap } from 'toad-cache';
import type { Claims } from '../base/caller.ts';
import { ProblemError } from '../base/problem-error.ts';
import { checkTimes, type Verdict, type VerifySession } from './claims.ts';

/** Half a minute of CometChat's whole quota, should each call be another user's. */
const MAX_TOKENS = 10_000;
/** A longer one is verified each time, so that the cache has a bound in bytes, too. */
const MAX_TOKEN_LENGTH = 2048;

/**
 * Verifies each token once for as long as the keys stay the same: a signature says nothing new the second time. The token's
 * times are held against the clock each time; whether it was revoked is for the caller to ask.
 *
 * @param keysInUse what tokens are verified with: another value empties the cache
 * @param now the clock
 */
export function withTokenCache(
  verify: VerifySession,
  keysInUse: () => unknown,
  now: () => Date = () => new Date(),
): VerifySession {
  const verified = new LruMap<Claims>(MAX_TOKENS);
  let keys = keysInUse();
  return (token) => {
    if (keys !== keysInUse()) {
      keys = keysInUse();
      verified.clear();
    }
    const known = verified.get(token);
    if (known) return checkTimes(known, now());
    const keysOfNow = keys;
    const remember = (verdict: Verdict) => {
      const isLasting = !(verdict instanceof ProblemError) && keysOfNow === keysInUse();
      if (isLasting && token.length <= MAX_TOKEN_LENGTH) verified.set(token, verdict);
      return verdict;
    };
    const verdict = verify(token);
    return verdict instanceof Promise ? verdict.then(remember) : remember(verdict);
  };
}
