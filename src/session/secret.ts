import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { derived, type Rotating } from '../base/rotating.ts';
import type { VerifySession } from './claims.ts';
import { type JwtRules, jwtVerifier } from './jwt.ts';
import { refused } from './reasons.ts';
import { withTokenCache } from './token-cache.ts';

/** An HS256 key is no shorter than its hash (RFC 7518, section 3.2). */
export const MIN_SECRET_BYTES = 32;

export interface SecretSessionConfig extends JwtRules {
  /** Newest first; a token of any of them is accepted, so that they can be rotated. */
  readonly secrets: Rotating<readonly string[]>;
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

/**
 * Verifies session tokens that the company's own back end signs with a shared secret: JWT, HS256, with `exp`.
 *
 * @param now the clock
 */
export function secretSessions(config: SecretSessionConfig, now?: () => Date): VerifySession {
  const verify = jwtVerifier(config, ['HS256'], now);
  const keys = derived(config.secrets, (secrets) =>
    // As key objects: jose would import bytes anew for each token.
    secrets.map((secret) => createSecretKey(secret, 'utf8')),
  );

  const verifySigned: VerifySession = (token) =>
    isForged(token, keys()) ? refused('signature') : verify(token, keys());
  return withTokenCache(verifySigned, keys, now);
}

/**
 * Whether none of the keys has signed a token of HS256. This runs at once, and not on another thread as in jose, so that a
 * flood of forged tokens costs a fraction. Only jose lets anybody in; it also tells what else is wrong.
 */
function isForged(token: string, keys: readonly KeyObject[]): boolean {
  const end = token.lastIndexOf('.');
  const signature = Buffer.from(token.slice(end + 1), 'base64url');
  const signs = (key: KeyObject) => {
    const expected = createHmac('sha256', key).update(token.slice(0, end)).digest();
    return signature.length === expected.length && timingSafeEqual(signature, expected);
  };
  return isHs256(token) && !keys.some(signs);
}

function isHs256(token: string): boolean {
  const [header = '', ...others] = token.split('.');
  try {
    return others.length === 2 && JSON.parse(Buffer.from(header, 'base64url').toString()).alg === 'HS256';
  } catch {
    return false;
  }
}
