import { ProblemError } from '../base/problem-error.ts';
import { type VerifySession, wrongClaim } from './claims.ts';
import type { SessionStore } from './store.ts';

/** Refuses JWTs that are good but have been revoked by their `jti`. One without `jti` ends by its `exp` alone. */
export function refuseRevoked(verify: VerifySession, store: SessionStore): VerifySession {
  return async (token) => {
    const claims = await verify(token);
    const { jti } = claims;
    if (jti === undefined) return claims;
    if (typeof jti !== 'string') throw wrongClaim('jti');
    if (await store.isRevoked(jti)) throw new ProblemError('session-revoked');
    return claims;
  };
}
