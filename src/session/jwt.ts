import type { KeyObject } from 'node:crypto';
import {
  type CryptoKey,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose';
import { parseList } from '../base/parse-list.ts';
import type { ProblemError } from '../base/problem-error.ts';
import { isExact } from '../base/quotes.ts';
import { checkTimes, type Verdict } from './claims.ts';
import { asRefusal, wrongClaim } from './reasons.ts';

/** What every JWT must say, so that a token made for another service is refused. */
export interface JwtRules {
  /** Any of them. */
  readonly issuers: readonly string[];
  /** Any of them. */
  readonly audiences: readonly string[];
  /** The claim that holds the audience. */
  readonly audienceClaim: string;
}

/** A key, or how to find those that a token's header asks for. */
type Key = KeyObject | CryptoKey | JWTVerifyGetKey;

/** A provider has a few keys that fit one token, while it replaces them. More only make a forged token expensive. */
const MAX_KEYS = 16;

/**
 * Reads a comma-separated list of issuers or audiences.
 *
 * @throws Error that says which of them no token can have
 */
export const parseNames = (text: string): string[] =>
  parseList(
    text,
    isExact,
    'hold what the session tokens say, to the letter and with commas between (no quotes around it, no line breaks or other invisible characters)',
  );

/**
 * What the kinds of JWT sessions have in common (RFC 8725, best current practices of JWTs).
 *
 * @param algorithms the only ones that a token may name
 * @param now the clock
 * @returns checks a token with each of the keys, until one of them has signed it; throws where no key can be used
 */
export function jwtVerifier(
  rules: JwtRules,
  algorithms: readonly string[],
  now: () => Date = () => new Date(),
) {
  const options: JWTVerifyOptions = {
    algorithms: [...algorithms],
    requiredClaims: ['exp'],
    // Leaves the times to checkTimes(), which says more of what is wrong with them.
    clockTolerance: Number.MAX_VALUE,
  };
  return async (token: string, keys: readonly Key[]): Promise<Verdict> => {
    try {
      const claims = await verifySignature(token, keys, options);
      return checkParties(claims, rules) ?? checkTimes(claims, now());
    } catch (error) {
      return asRefusal(error);
    }
  };
}

async function verifySignature(
  token: string,
  keys: Iterable<Key> | AsyncIterable<Key>,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  let failure: unknown = new TypeError('no key can be used');
  let tried = 0;
  for await (const key of keys) {
    tried += 1;
    if (tried > MAX_KEYS) break;
    try {
      // One of jose's two signatures of this function; which one makes no difference here.
      const { payload } = await jwtVerify(token, key as JWTVerifyGetKey, options);
      return payload;
    } catch (error) {
      // Iterating it gives the keys that fit; jose leaves out those that it cannot import.
      if (error instanceof errors.JWKSMultipleMatchingKeys) return verifySignature(token, error, options);
      const isWrongKey = error instanceof errors.JWSSignatureVerificationFailed;
      // Another key would not mend the token. Any other error is about the key.
      if (error instanceof errors.JOSEError && !isWrongKey) throw error;
      if (isWrongKey || tried === 1) failure = error;
    }
  }
  throw failure;
}

/** @returns why a token is none of this service's, or undefined */
function checkParties(
  claims: JWTPayload,
  { issuers, audiences, audienceClaim }: JwtRules,
): ProblemError | undefined {
  const { iss } = claims;
  if (typeof iss !== 'string') return wrongClaim('iss');
  if (!issuers.includes(iss)) {
    const isNear = issuers.some((issuer) => issuer === `${iss}/` || `${issuer}/` === iss);
    return wrongClaim('iss', isNear ? 'and the configured issuer differ by a slash at the end' : undefined);
  }
  const found = [claims[audienceClaim]].flat();
  return found.some((audience) => audiences.includes(audience as string))
    ? undefined
    : wrongClaim(audienceClaim);
}
