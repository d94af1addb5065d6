import { ProblemError } from '../problem-error.ts';
import { type JwtRules, jwtVerifier } from './jwt.ts';
import type { RemoteKeys } from './remote-keys.ts';
import type { VerifySession } from './session.ts';

/** Signatures that need a private key to make. HS256 is none of them: its key would be a public text here. */
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'];

/**
 * Verifies session tokens that an identity provider signs: JWT, with a key that the provider publishes.
 *
 * @param keys the provider's; nothing that a token brings along (`jwk`, `jku`, `x5c`) is ever one
 * @param now the clock
 */
export function jwksSessions(rules: JwtRules, keys: RemoteKeys, now = () => new Date()): VerifySession {
  const verify = jwtVerifier(rules, ALGORITHMS, now);
  return async (token) => {
    try {
      return await verify(token, (header, jws) => keys.find(header, jws));
    } catch (error) {
      if (error instanceof ProblemError) throw error;
      // The key that the token names is published, but is too weak for jose or is no key at all.
      throw new ProblemError('session-invalid', { cause: error });
    }
  };
}
