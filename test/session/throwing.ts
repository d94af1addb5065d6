import type { Claims } from '../../src/base/caller.ts';
import { ProblemError } from '../../src/base/problem-error.ts';
import type { VerifySession } from '../../src/session/claims.ts';

/** Throws the refusals that a verifier returns, so that no test takes one for claims. */
export const throwing =
  (verify: VerifySession) =>
  async (token: string): Promise<Claims> => {
    const verdict = await verify(token);
    if (verdict instanceof ProblemError) throw verdict;
    return verdict;
  };
