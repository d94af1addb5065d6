import type { Claims } from '../base/caller.ts';
import type { ProblemError } from '../base/problem-error.ts';
import { refused, wrongClaim } from './reasons.ts';

/** The claims of a session, or why it is refused. A refusal is not thrown, because throwing is slow and floods get refusals. */
export type Verdict = Claims | ProblemError;

/** Judges a session token, at once where nothing has to be waited for. One for each kind of session. */
export type VerifySession = (token: string) => Verdict | Promise<Verdict>;

/** How far the issuer's clock may be ahead. An end is not granted it: an ended session has ended. */
const CLOCK_SKEW_SECONDS = 30;
/** A time beyond this is not in seconds: as seconds it is the year 33658, as milliseconds 2001. */
const MAX_UNIX_SECONDS = 1e12;

/** Whether a time can be in UNIX seconds; milliseconds, microseconds and nanoseconds cannot. */
export const isInSeconds = (time: number): boolean => time < MAX_UNIX_SECONDS;

/**
 * Holds the claims that tell time (RFC 7519, section 4.1) against the clock, the same for every kind.
 *
 * @returns the claims; `session-expired`; or `session-invalid` where a session has not begun yet
 */
export function checkTimes(claims: Claims, now: Date): Verdict {
  const seconds = now.getTime() / 1000;
  for (const claim of ['exp', 'nbf', 'iat']) {
    const value = claims[claim];
    if (value === undefined) continue;
    if (!Number.isFinite(value)) return wrongClaim(claim);
    if (!isInSeconds(Number(value))) {
      return wrongClaim(claim, 'seems to be in milliseconds; it must be in UNIX seconds');
    }
    if (claim === 'exp' && Number(value) <= seconds) return refused('expired');
    if (claim !== 'exp' && Number(value) > seconds + CLOCK_SKEW_SECONDS) {
      return wrongClaim(claim, 'lies in the future: the clocks of its issuer and of the gateway differ');
    }
  }
  return claims;
}
