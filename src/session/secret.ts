import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { itemsOf } from '../base/parse-list.ts';
import { derived, type Rotating } from '../base/rotating.ts';
import type { VerifySession } from './claims.ts';
import { type JwtRules, jwtVerifier } from './jwt.ts';
import { refused } from './reasons.ts';
import { withTokenCache } from './token-cache.ts';

/** The algorithms, with their hashes. */
const HASHES: ReadonlyMap<unknown, string> = new Map([
  ['HS256', 'sha256'],
  ['HS384', 'sha384'],
  ['HS512', 'sha512'],
]);

/** As many as HS256 asks for (RFC 7518, section 3.2). Nobody guesses 256 bits, whatever the hash. */
export const MIN_SECRET_BYTES = 32;

export interface SecretSessionConfig extends JwtRules {
  /** Newest first; a token of any of them is accepted, so that they can be rotated. */
  readonly secrets: Rotating<readonly string[]>;
}

/**
 * Reads a comma-separated list of secrets. Empty items count as none, and repeated ones once.
 *
 * @throws Error whose message says which one is too short, and never repeats it
 */
export function parseSecrets(text: string): string[] {
  const items = itemsOf(text);
  const short = items.findIndex((item) => item !== '' && Buffer.byteLength(item) < MIN_SECRET_BYTES);
  if (short >= 0) {
    throw new Error(`must have ${MIN_SECRET_BYTES} bytes or more; secret number ${short + 1} has fewer`);
  }
  const secrets = new Set(items.filter((item) => item !== ''));
  if (secrets.size === 0)
    throw new Error(`must have ${MIN_SECRET_BYTES} bytes or more, and not commas alone`);
  return [...secrets];
}

/**
 * Verifies session tokens that the company's own back end signs with a shared secret: JWT, HMAC, with `exp`.
 *
 * @param now the clock
 */
export function secretSessions(config: SecretSessionConfig, now?: () => Date): VerifySession {
  const verify = jwtVerifier(config, [...HASHES.keys()] as string[], now);
  const keys = derived(config.secrets, (secrets) =>
    // As key objects: jose would import bytes anew for each token.
    secrets.map((secret) => createSecretKey(secret, 'utf8')),
  );

  const verifySigned: VerifySession = (token) =>
    isForged(token, keys()) ? refused('signature') : verify(token, keys());
  return withTokenCache(verifySigned, keys, now);
}

/**
 * Whether none of the keys has signed a token of HMAC. This runs at once, and not on another thread as in jose, so that a
 * flood of forged tokens costs a fraction. Only jose lets anybody in; it also tells what else is wrong.
 */
function isForged(token: string, keys: readonly KeyObject[]): boolean {
  const hash = hashOf(token);
  if (hash === undefined) return false;
  const end = token.lastIndexOf('.');
  const signature = Buffer.from(token.slice(end + 1), 'base64url');
  const signs = (key: KeyObject) => {
    const expected = createHmac(hash, key).update(token.slice(0, end)).digest();
    return signature.length === expected.length && timingSafeEqual(signature, expected);
  };
  return !keys.some(signs);
}

/** The hash of the algorithm that a token names; undefined where jose has to look at it. */
function hashOf(token: string): string | undefined {
  const [header = '', ...others] = token.split('.');
  try {
    const { alg } = JSON.parse(Buffer.from(header, 'base64url').toString());
    return others.length === 2 ? HASHES.get(alg) : undefined;
  } catch {
    return undefined;
  }
}
