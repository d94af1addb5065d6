import { randomBytes } from 'node:crypto';
import type { Test } from 'tap';

/** The secrets of every test: long, odd, and searched for in what leaves the gateway. */
export const API_KEY = `key-${randomBytes(16).toString('hex')}`;
export const SECRET = `secret-"quoted"-${randomBytes(16).toString('hex')}`;

/** What must never stand in a log line or in a reply: the keys, and what a test adds. */
export const planted = new Set([API_KEY, SECRET, JSON.stringify(SECRET).slice(1, -1)]);
/** The signature of every token that was signed here. */
const signatures = new Set<string>();

/** Remembers a token as one that must never stand in a log line or in a reply. */
export function plantToken(token: string): string {
  signatures.add(token.slice(token.lastIndexOf('.') + 1));
  return token;
}

/** How many of the secrets stand in a text. */
function leaks(text: string): number {
  const known = [...planted].filter((secret) => text.includes(secret));
  // By the thousand, so that the text is looked through once.
  const signed = [...text.matchAll(/[\w-]{32,}/g)].filter(([word]) => signatures.has(word));
  return known.length + signed.length;
}

/** Fails the test that is being torn down if a secret stands in what left the gateway, whatever it is about. */
export function assertNoLeak(...texts: readonly string[]): void {
  const found = leaks(texts.join('\n'));
  if (found > 0) throw new Error(`${found} secret(s) in what was logged, counted or answered`);
}

/** Checks that nothing in a text is one of the secrets that the gateway holds or was shown. */
export function holdsNoSecret(t: Test, text: string): void {
  t.equal(leaks(text), 0, 'no secret in it');
}
