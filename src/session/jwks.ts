import type { BaseLogger } from 'pino';
import { errorType } from '../base/error-type.ts';
import { isLoopback } from '../base/loopback.ts';
import { ProblemError } from '../base/problem-error.ts';
import type { Verdict, VerifySession } from './claims.ts';
import { type JwtRules, jwtVerifier } from './jwt.ts';
import { refused } from './reasons.ts';
import type { RemoteKeys } from './remote-keys.ts';
import { withTokenCache } from './token-cache.ts';

/** Signatures that need a private key to make. HMAC is none of them: its key would be a public text here. */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512'],
  ...['PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512'],
  ...['EdDSA', 'Ed25519'],
];

/**
 * Reads the address of a JSON Web Key Set (RFC 7517).
 *
 * @throws Error whose message says what is wrong with it, and never repeats it
 */
export function parseJwksUrl(text: string): string {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new Error('must be a whole URL, as in https://login.example/.well-known/jwks.json');
  }
  if (url.username || url.password || url.hash) throw new Error('must have no user, password or fragment');
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    throw new Error('must begin with https://, since its keys decide who is let in; http:// is for loopback');
  }
  return url.href;
}

/**
 * Verifies session tokens that an identity provider signs: JWT, with a key that the provider publishes.
 *
 * @param keys the provider's; nothing that a token brings along (`jwk`, `jku`, `x5c`) is ever one
 */
export function jwksSessions(
  rules: JwtRules,
  keys: RemoteKeys,
  log: Pick<BaseLogger, 'warn'>,
): VerifySession {
  const verify = jwtVerifier(rules, ALGORITHMS);
  /** The key set that the log has a warning of. Anybody can name its keys in as many tokens as they like. */
  let warnedOf: string | undefined;
  const verifyWithThese = async (token: string): Promise<Verdict> => {
    try {
      return await verify(token, [(header, jws) => keys.find(header, jws)]);
    } catch (error) {
      // The key that the token names is published, but is too weak for jose or is no key at all.
      if (warnedOf !== keys.inUse) {
        log.warn({ error: { type: errorType(error) } }, 'a key of SESSION_JWKS_URL cannot be used');
      }
      warnedOf = keys.inUse;
      return refused('malformed', { cause: error });
    }
  };
  const verifyOnce: VerifySession = async (token) => {
    const before = keys.inUse;
    const verdict = await verifyWithThese(token);
    const isSignature = verdict instanceof ProblemError && verdict.reason === 'signature';
    // The provider may have put another key in the place of this one: with the same kid, or where tokens have none.
    return isSignature && (await keys.haveChanged(before)) ? verifyWithThese(token) : verdict;
  };
  return withTokenCache(verifyOnce, () => keys.inUse);
}
