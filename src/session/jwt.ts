import type { KeyObject } from 'node:crypto';
import { errors, type JWTVerifyGetKey, type JWTVerifyOptions, jwtVerify } from 'jose';
import { CLOCK_SKEW_SECONDS, checkTimes, type Verdict } from './claims.ts';
import { asRefusal } from './reasons.ts';

/** What every JWT must say, so that a token made for another service is refused. */
export interface JwtRules {
  readonly issuer: string;
  readonly audience: string;
}

/** A key, or how to find the one that a token's header asks for. */
type Key = KeyObject | JWTVerifyGetKey;

/**
 * What the kinds of JWT sessions have in common (RFC 8725, best current practices of JWTs).
 *
 * @param algorithms the only ones that a token may name
 * @param now the clock
 * @returns checks a token with each of the keys, until one of them has signed it
 */
export function jwtVerifier(
  { issuer, audience }: JwtRules,
  algorithms: string[],
  now: () => Date = () => new Date(),
) {
  const rules: JWTVerifyOptions = {
    algorithms,
    issuer,
    audience,
    requiredClaims: ['exp'],
    clockTolerance: CLOCK_SKEW_SECONDS,
  };
  return async (token: string, keys: readonly Key[]): Promise<Verdict> => {
    const currentDate = now();
    let refused: unknown;
    for (const key of keys) {
      try {
        // One of jose's two signatures of this function; which one makes no difference here.
        const { payload } = await jwtVerify(token, key as JWTVerifyGetKey, { ...rules, currentDate });
        return checkTimes(payload, currentDate);
      } catch (error) {
        refused = error;
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) break;
      }
    }
    return asRefusal(refused);
  };
}
