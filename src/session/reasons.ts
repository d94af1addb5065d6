import { ProblemError } from '../base/problem-error.ts';
import type { ProblemCode } from '../base/problems.ts';

/** Why sessions are not taken, for operators; clients get the problem alone. */
export const REFUSALS = [
  'missing',
  'malformed',
  'algorithm',
  'unknown_key',
  'signature',
  'unknown',
  'claim',
  'expired',
  'revoked',
  'unchecked',
] as const;
export type Refusal = (typeof REFUSALS)[number];

const BY_PROBLEM: Partial<Record<ProblemCode, Refusal>> = {
  'session-missing': 'missing',
  'session-expired': 'expired',
  'session-revoked': 'revoked',
  'session-store-unavailable': 'unchecked',
};

/** Nothing is stored under this opaque token. */
export class UnknownSession extends Error {
  readonly code = 'SESSION_UNKNOWN';
}

/** By jose's codes: https://github.com/panva/jose/blob/main/docs/util/errors/README.md */
const BY_CAUSE: Readonly<Record<string, Refusal>> = {
  ERR_JOSE_ALG_NOT_ALLOWED: 'algorithm',
  ERR_JWKS_NO_MATCHING_KEY: 'unknown_key',
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: 'unknown_key',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'signature',
  ERR_JWT_CLAIM_VALIDATION_FAILED: 'claim',
  SESSION_UNKNOWN: 'unknown',
};

/** @returns why a session was not taken; undefined where it was something else that failed */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!(error instanceof ProblemError)) return undefined;
  if (error.code !== 'session-invalid') return BY_PROBLEM[error.code];
  const { code } = Object(error.cause) as { code?: unknown };
  return BY_CAUSE[String(code)] ?? 'malformed';
}
