import type { BaseLogger } from 'pino';
import type { Claims } from '../base/caller.ts';
import type { ProblemError } from '../base/problem-error.ts';
import { isInSeconds } from './claims.ts';
import { refused, wrongClaim } from './reasons.ts';
import type { SessionStore } from './store.ts';

/** Why a session is refused after all, or undefined. It never rejects, so that a request may end without awaiting it. */
export type Revocation = Promise<ProblemError | undefined>;

/** Redis is there, and will not tell: that is no outage. */
const REFUSALS = /^(?:NOPERM|WRONGTYPE)$/;

const NO_IAT = {
  detail: 'The user was signed out everywhere. The session has no "iat", so it counts as older than that.',
};

/**
 * Asks whether JWTs have been revoked: one by its `jti`, all that a user had at a time by `sub` and `iat`. One that has neither
 * `jti` nor `sub` ends by its `exp` alone. While Redis is unavailable, so does one without a `jti`: who issues such tokens has
 * chosen not to end them one by one.
 */
export function revocations(
  store: SessionStore,
  log: Pick<BaseLogger, 'error'>,
): (claims: Claims) => Revocation | ProblemError | undefined {
  return ({ jti, sub, iat }) => {
    if (jti !== undefined && typeof jti !== 'string') return wrongClaim('jti');
    // Some back ends number their users, and `revoked-before:7` is what they write then.
    if (sub !== undefined && typeof sub !== 'string' && !Number.isSafeInteger(sub)) return wrongClaim('sub');
    if (jti === undefined && sub === undefined) return undefined;
    return store.revocation(jti, sub === undefined ? undefined : String(sub)).then(
      ({ isRevoked, before }) => {
        if (isRevoked) return refused('revoked');
        if (before === undefined) return undefined;
        const moment = unixSeconds(before);
        if (moment === undefined) {
          log.error({ sub }, 'revoked-before in Redis is no number of UNIX seconds: the user is refused');
          return refused('unchecked', { errorType: 'revoked_before_invalid' });
        }
        // A JWT that does not say when it was issued may be as old as any.
        if (iat === undefined) return refused('revoked', NO_IAT);
        return Number(iat) <= moment ? refused('revoked') : undefined;
      },
      (unchecked: ProblemError) =>
        jti === undefined && !REFUSALS.test(unchecked.errorType) ? undefined : unchecked,
    );
  };
}

/** A line break at the end is redis-cli's: `date +%s | redis-cli -x`. */
function unixSeconds(text: string): number | undefined {
  const seconds = /^\s*\d+(?:\.\d+)?\s*$/.test(text) ? Number(text) : Number.NaN;
  return isInSeconds(seconds) ? seconds : undefined;
}
