import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';

/** What the company's own back end signs with, and what it says of every token. */
export interface Signer {
  readonly secrets: readonly string[];
  readonly issuer: string;
  readonly audience: string;
}

const HOUR_MS = 3_600_000;

/**
 * Signs a session token as the company's own back end does: HS256 with the newest secret, good for an hour.
 *
 * @param claims beside `iss`, `aud`, `iat`, `exp` and `jti`, by which it can be revoked; `sub`, above all
 */
export function signSession(
  { secrets: [newest = ''], issuer, audience }: Signer,
  claims: Record<string, unknown>,
  issuedAt = new Date(),
): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setJti(randomUUID())
    .setIssuedAt(issuedAt)
    .setExpirationTime(new Date(issuedAt.getTime() + HOUR_MS))
    .sign(new TextEncoder().encode(newest));
}
