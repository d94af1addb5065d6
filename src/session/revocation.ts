import type { VerifySession } from './claims.ts';
import { refused, wrongClaim } from './reasons.ts';
import type { SessionStore } from './store.ts';

/** Rejects JWTs that are good but have been revoked by their `jti`. One without `jti` ends by its `exp` alone. */
export function rejectRevoked(verify: VerifySession, store: SessionStore): VerifySession {
  return async (token) => {
    const claims = await verify(token);
    const { jti } = claims;
    if (jti === undefined) return claims;
    if (typeof jti !== 'string') throw wrongClaim('jti');
    if (await store.isRevoked(jti)) throw refused('revoked');
    return claims;
  };
}
