import { createSecretKey, type KeyObject } from 'node:crypto';
import { type CryptoKey, type JWTHeaderParameters, SignJWT } from 'jose';
import { plantToken, SECRET } from './secrets.ts';

export const ISSUER = 'https://issuer.example';
export const AUDIENCE = 'cometchat-gateway';
/** What a gateway of the tests asks of every JWT. */
export const RULES = { issuers: [ISSUER], audiences: [AUDIENCE], audienceClaim: 'aud' };
/** The signed-in user, and the one whom the conversation is with. */
export const ME = 'cometchat-uid-4';
export const OTHER = 'cometchat-uid-3';

/** Signs a token, good for a minute, with the session secret; a claim or header of `undefined` is left out. */
export const sign = (
  claims: Record<string, unknown> = {},
  { secret = SECRET, header = {} }: { secret?: string; header?: Partial<JWTHeaderParameters> } = {},
): Promise<string> => signWith(createSecretKey(Buffer.from(secret)), { alg: 'HS256', ...header }, claims);

/** The same with any key. */
export async function signWith(
  key: CryptoKey | KeyObject,
  header: JWTHeaderParameters,
  claims: Record<string, unknown>,
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const all = { sub: ME, iss: ISSUER, aud: AUDIENCE, iat: now, exp: now + 60, ...claims };
  return plantToken(await new SignJWT(JSON.parse(JSON.stringify(all))).setProtectedHeader(header).sign(key));
}

/** The header field of a token, signed as sign() does it. */
export const bearer = async (claims: Record<string, unknown> = {}) => ({
  authorization: `Bearer ${await sign(claims)}`,
});
