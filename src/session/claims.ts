import type { Claims } from '../base/caller.ts';
import { refused, wrongClaim } from './reasons.ts';

/** Gives the claims of a valid session token, or throws a problem. One for each kind of session. */
export type VerifySession = (token: string) => Promise<Claims>;

/** How far the issuer's clock may be ahead. An end is not granted it: an ended session has ended. */
export const CLOCK_SKEW_SECONDS = 30;

/**
 * Holds the claims that tell time (RFC 7519, section 4.1) against the clock, the same for every kind.
 *
 * @throws ProblemError `session-expired`, or `session-invalid` where a session has not begun yet
 */
export function checkTimes(claims: Claims, now: Date): void {
  const seconds = now.getTime() / 1000;
  for (const claim of ['exp', 'nbf', 'iat']) {
    const value = claims[claim];
    if (value !== undefined && !Number.isFinite(value)) throw wrongClaim(claim);
    if (claim === 'exp' && Number(value) <= seconds) throw refused('expired');
    if (claim !== 'exp' && Number(value) > seconds + CLOCK_SKEW_SECONDS) throw wrongClaim(claim);
  }
}
