import type { KeyObject } from 'node:crypto';
import { errors, type JWTVerifyGetKey, type JWTVerifyOptions, jwtVerify } from 'jose';
import { ProblemError } from '../base/problem-error.ts';
import type { Claims } from '../identity/identity.ts';
import { CLOCK_SKEW_SECONDS, checkTimes, wrongClaim } from './claims.ts';

/** What every JWT must say of itself, so that a token made for another service is none for this one. */
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
 * @returns a function that checks a token with each of the keys in turn, until one of them has signed it; it throws
 *   401 problems, and whatever else the finding of a key throws
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
  return async (token: string, keys: readonly Key[]): Promise<Claims> => {
    const currentDate = now();
    let refused: unknown;
    for (const key of keys) {
      try {
        // One of jose's two signatures of this function; which one makes no difference here.
        const { payload } = await jwtVerify(token, key as JWTVerifyGetKey, { ...rules, currentDate });
        checkTimes(payload, currentDate);
        return payload;
      } catch (error) {
        refused = error;
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) break;
      }
    }
    throw asProblem(refused);
  };
}

function asProblem(error: unknown): unknown {
  if (error instanceof errors.JWTExpired) return new ProblemError('session-expired', { cause: error });
  if (error instanceof errors.JWTClaimValidationFailed) return wrongClaim(error.claim, error);
  if (error instanceof errors.JOSEError) return new ProblemError('session-invalid', { cause: error });
  return error;
}
