import type { Claims } from '../base/caller.ts';
import type { ProblemError } from '../base/problem-error.ts';
import { refused, wrongClaim } from './reasons.ts';
import type { SessionStore } from './store.ts';

/** Why a session is refused after all, or undefined. It never rejects, so that a request may end without awaiting it. */
export type Revocation = Promise<ProblemError | undefined>;

/** Asks whether JWTs have been revoked by their `jti`. One without `jti` ends by its `exp` alone. */
export function revocations(store: SessionStore): (claims: Claims) => Revocation | ProblemError | undefined {
  return ({ jti }) => {
    if (jti === undefined) return undefined;
    if (typeof jti !== 'string') return wrongClaim('jti');
    return store.isRevoked(jti).then(
      (isRevoked) => (isRevoked ? refused('revoked') : undefined),
      (unchecked: ProblemError) => unchecked,
    );
  };
}
