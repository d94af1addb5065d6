import { errors, type JWTPayload, jwtVerify } from 'jose';
import type { Claims } from '../identity.ts';
import { ProblemError } from '../problem-error.ts';

/** How far the issuer's clock may be ahead. Only `nbf` is granted it: an ended session has ended. */
const CLOCK_SKEW_SECONDS = 30;

/** An HS256 key is no shorter than its hash (RFC 7518, section 3.2). */
export const MIN_SECRET_BYTES = 32;

export interface SecretSessionConfig {
  /** Newest first; a token of any of them is taken, so that they can be rotated. */
  readonly secrets: readonly string[];
  readonly issuer: string;
  readonly audience: string;
}

/**
 * Reads a comma-separated list of secrets.
 *
 * @throws Error whose message says which one is too short, and never repeats it
 */
export function parseSecrets(text: string): string[] {
  const secrets = text.split(',').map((secret) => secret.trim());
  const short = secrets.findIndex((secret) => Buffer.byteLength(secret) < MIN_SECRET_BYTES);
  if (short >= 0) {
    throw new Error(`must have ${MIN_SECRET_BYTES} bytes or more; secret number ${short + 1} has fewer`);
  }
  return secrets;
}

/** Who is calling? Gives the claims of a valid session token, or throws a 401 problem. */
export type VerifySession = (token: string) => Promise<Claims>;

/**
 * Verifies session tokens that the company's own back end signs with a shared secret: JWT, HS256, with `exp`.
 *
 * @param now the clock
 */
export function secretSessions(
  { secrets, issuer, audience }: SecretSessionConfig,
  now: () => Date = () => new Date(),
): VerifySession {
  const keys = secrets.map((secret) => new TextEncoder().encode(secret));

  async function verify(token: string, currentDate: Date): Promise<JWTPayload> {
    const options = {
      algorithms: ['HS256'],
      issuer,
      audience,
      requiredClaims: ['exp'],
      clockTolerance: CLOCK_SKEW_SECONDS,
      currentDate,
    };
    let refused: unknown;
    for (const key of keys) {
      try {
        return (await jwtVerify(token, key, options)).payload;
      } catch (error) {
        refused = error;
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) break;
      }
    }
    throw refused;
  }

  return async (token) => {
    const currentDate = now();
    try {
      const claims = await verify(token, currentDate);
      if (Number(claims.exp) * 1000 <= currentDate.getTime()) throw new ProblemError('session-expired');
      return claims;
    } catch (error) {
      throw asProblem(error);
    }
  };
}

function asProblem(error: unknown): unknown {
  if (error instanceof errors.JWTExpired) return new ProblemError('session-expired', { cause: error });
  if (error instanceof errors.JWTClaimValidationFailed) {
    const detail = `The claim "${error.claim}" of the session token is ${error.reason === 'missing' ? 'missing' : 'not as required'}.`;
    return new ProblemError('session-invalid', { detail, cause: error });
  }
  if (error instanceof errors.JOSEError) return new ProblemError('session-invalid', { cause: error });
  return error;
}
