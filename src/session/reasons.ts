import { errors } from 'jose';
import { ProblemError } from '../base/problem-error.ts';
import type { ProblemCode } from '../base/problems.ts';

/** Why sessions are refused, for operators; clients get the problem alone. */
const PROBLEM_BY_REASON = {
  missing: 'session-missing',
  malformed: 'session-invalid',
  algorithm: 'session-invalid',
  unknown_key: 'session-invalid',
  signature: 'session-invalid',
  unknown: 'session-invalid',
  claim: 'session-invalid',
  expired: 'session-expired',
  revoked: 'session-revoked',
  unchecked: 'session-store-unavailable',
} as const satisfies Record<string, ProblemCode>;
export type Reason = keyof typeof PROBLEM_BY_REASON;
export const REASONS = Object.keys(PROBLEM_BY_REASON) as Reason[];

/** By jose's codes: https://github.com/panva/jose/blob/main/docs/util/errors/README.md */
const REASON_BY_JOSE_CODE: Readonly<Record<string, Reason>> = {
  ERR_JOSE_ALG_NOT_ALLOWED: 'algorithm',
  ERR_JWKS_NO_MATCHING_KEY: 'unknown_key',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'signature',
  ERR_JWT_EXPIRED: 'expired',
};

/** @returns the problem of a session that is refused for this reason */
export const refused = (
  reason: Reason,
  options?: ConstructorParameters<typeof ProblemError>[1],
): ProblemError =>
  options ? new ProblemError(PROBLEM_BY_REASON[reason], { reason, ...options }) : REFUSED[reason];

/** The same for every request, so they are made once. */
const REFUSED = Object.fromEntries(
  REASONS.map((reason) => [reason, new ProblemError(PROBLEM_BY_REASON[reason], { reason })]),
) as Readonly<Record<Reason, ProblemError>>;

/**
 * @param why what is wrong with the claim
 * @returns `session-invalid`, with the name of the claim and never its value
 */
export const wrongClaim = (claim: string, why = 'is missing or not as required', cause?: unknown) =>
  refused('claim', { claim, detail: `The claim "${claim}" of the session ${why}.`, cause });

/** @returns the problem that an error of jose's is, or the problem that was thrown; any other error is thrown again */
export function asRefusal(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  if (error instanceof errors.JWTClaimValidationFailed) return wrongClaim(error.claim, undefined, error);
  if (!(error instanceof errors.JOSEError)) throw error;
  return refused(REASON_BY_JOSE_CODE[error.code] ?? 'malformed', { cause: error });
}
