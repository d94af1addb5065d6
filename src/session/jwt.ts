import { errors, type JWTVerifyGetKey, type JWTVerifyOptions, jwtVerify } from 'jose';
import type { Claims } from '../identity.ts';
import { ProblemError } from '../problem-error.ts';
import { CLOCK_SKEW_SECONDS, checkTimes, wrongClaim } from './session.ts';

/** What every JWT must say of itself, so that a token made for another service is none for this one. */
export interface JwtRules {
  readonly issuer: string;
  readonly audience: string;
}

/** Checks one token with one key, or with the key that its header asks for. */
export type VerifyJwt = (token: string, key: Uint8Array | JWTVerifyGetKey) => Promise<Claims>;

/**
 * What the kinds of JWT sessions have in common (RFC 8725, best current practices of JWTs).
 *
 * @param algorithms the only ones that a token may name
 * @param now the clock
 * @returns a function that throws 401 problems, and whatever else the key's getter throws
 */
export function jwtVerifier(
  { issuer, audience }: JwtRules,
  algorithms: readonly string[],
  now: () => Date,
): VerifyJwt {
  return async (token, key) => {
    const currentDate = now();
    const options: JWTVerifyOptions = {
      algorithms: [...algorithms],
      issuer,
      audience,
      requiredClaims: ['exp'],
      clockTolerance: CLOCK_SKEW_SECONDS,
      currentDate,
    };
    try {
      // One of jose's two signatures of this function; which one makes no difference here.
      const { payload } = await jwtVerify(token, key as JWTVerifyGetKey, options);
      checkTimes(payload, currentDate);
      return payload;
    } catch (error) {
      throw asProblem(error);
    }
  };
}

function asProblem(error: unknown): unknown {
  if (error instanceof errors.JWTExpired) return new ProblemError('session-expired', { cause: error });
  if (error instanceof errors.JWTClaimValidationFailed) return wrongClaim(error.claim, error);
  if (error instanceof errors.JOSEError) return new ProblemError('session-invalid', { cause: error });
  return error;
}
