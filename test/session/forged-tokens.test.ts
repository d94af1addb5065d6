import { createHmac } from 'node:crypto';
import http from 'node:http';
import {
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JWTHeaderParameters,
  SignJWT,
  UnsecuredJWT,
} from 'jose';
import t from 'tap';
import { issuer } from '../helpers/issuer.ts';
import { listening } from '../helpers/ports.ts';
import { plantToken, SECRET } from '../helpers/secrets.ts';
import { AUDIENCE, ISSUER, ME, sign } from '../helpers/tokens.ts';
import { tokenGateway } from './token-gateway.ts';

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
/** A token with a valid signature, whatever is signed. */
const signed = (head: string, payload: string, signedPayload = payload) =>
  plantToken(
    `${head}.${payload}.${createHmac('sha256', SECRET).update(`${head}.${signedPayload}`).digest('base64url')}`,
  );

t.test('a token of the algorithm "none" is refused, however that is spelled', async (t) => {
  const { rejects } = await tokenGateway(t);
  const claims = { sub: ME, iss: ISSUER, aud: AUDIENCE };
  await rejects(new UnsecuredJWT(claims).setExpirationTime('1h').encode(), 'algorithm');
  const [, payload = '', signature = ''] = (await sign()).split('.');
  for (const [alg, reason] of [
    ['None', 'algorithm'],
    ['NONE', 'algorithm'],
    ['nOnE', 'algorithm'],
    ['', 'malformed'],
    [null, 'malformed'],
  ] as const) {
    for (const tail of ['', signature]) await rejects(`${encode({ alg })}.${payload}.${tail}`, reason);
  }
});

t.test('a token of a shared secret has an HMAC of SHA-2, and nobody else makes one', async (t) => {
  const { accepts, rejects } = await tokenGateway(t);
  const verifications = t.capture(crypto.subtle, 'verify', crypto.subtle.verify);
  for (const alg of ['HS256', 'HS384', 'HS512']) {
    await accepts(await sign({}, { header: { alg } }));
    t.equal(verifications().length, 1);
    await rejects(await sign({}, { header: { alg }, secret: 'x'.repeat(64) }), 'signature');
    t.equal(verifications().length, 0, 'a forged one is found out at once');
  }
  const [head = '', payload = ''] = (await sign()).split('.');
  for (const alg of ['HS1', 'HS224', 'hs256', 'HS256 ', 'constructor', '__proto__', 'RS256']) {
    await rejects(signed(encode({ alg }), payload), 'algorithm');
  }
  await rejects(signed(head.slice(1), payload), 'malformed');
});

t.test('the provider’s public key is no secret to sign with', async (t) => {
  const { env, jwk, key } = await issuer(t);
  const { accepts, rejects } = await tokenGateway(t, env);
  await accepts(await key.sign());
  for (const secret of [await exportSPKI(key.publicKey), JSON.stringify(jwk), jwk.n ?? '']) {
    await rejects(await sign({}, { secret, header: { alg: 'HS256', kid: key.kid } }), 'algorithm');
  }
});

t.test('a key that a token brings along or points at is not used', async (t) => {
  const { env, key } = await issuer(t, 'ES256');
  const { rejects } = await tokenGateway(t, env);
  const mine = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(mine.publicKey);
  let asked = 0;
  const server = http.createServer((_request, response) => {
    asked += 1;
    response.end(JSON.stringify({ keys: [{ ...jwk, kid: 'mine' }] }));
  });
  const url = `http://127.0.0.1:${await listening(t, server)}/`;
  const forged = (header: Partial<JWTHeaderParameters>) =>
    new SignJWT({ sub: ME, iss: ISSUER, aud: AUDIENCE })
      .setProtectedHeader({ alg: 'ES256', ...header })
      .setExpirationTime('1h')
      .sign(mine.privateKey);
  // The first of them makes the gateway ask the configured provider once more: its key may have been replaced.
  await rejects(await forged({ kid: key.kid }), 'signature', { fetches: 1 });
  for (const header of [
    { kid: key.kid },
    { jwk },
    { jwk, kid: key.kid },
    { jku: url, kid: key.kid },
    { x5u: url, kid: key.kid },
  ]) {
    await rejects(await forged(header), 'signature');
  }
  await rejects(await forged({ jku: url, kid: 'mine' }), 'unknown_key');
  for (const kid of [url, '../../../dev/null']) await rejects(await forged({ kid }), 'unknown_key');
  t.equal(asked, 0, 'nobody followed the address');
});

t.test('a token with a critical extension is refused', async (t) => {
  const { rejects } = await tokenGateway(t);
  const [, payload = '', signature = ''] = (await sign()).split('.');
  for (const header of [
    { crit: ['exp'], exp: 1 },
    { crit: ['unknown'], unknown: 1 },
    { crit: ['b64'], b64: false },
    { crit: [] },
    { crit: 'exp' },
  ]) {
    const head = encode({ alg: 'HS256', ...header });
    await rejects(`${head}.${payload}.${signature}`, 'signature');
    await rejects(signed(head, payload), 'malformed');
  }
  // Its signature is valid, over a payload that is not encoded (RFC 7797).
  const claims = JSON.stringify({ sub: ME, iss: ISSUER, aud: AUDIENCE, exp: 9_999_999_999 });
  const head = encode({ alg: 'HS256', crit: ['b64'], b64: false });
  await rejects(signed(head, Buffer.from(claims).toString('base64url'), claims), 'signature');
});

t.test('a valid signature alone lets nobody in', async (t) => {
  const { accepts, rejects } = await tokenGateway(t);
  const [head = '', payload = ''] = (await sign()).split('.');
  await accepts(signed(head, payload));
  for (const [token, reason] of [
    [signed(head, ''), 'malformed'],
    [signed(head, Buffer.from('no json').toString('base64url')), 'malformed'],
    [signed(head, encode(null)), 'malformed'],
    [signed(head, encode([])), 'malformed'],
    [signed(head, encode({})), 'claim'],
    [signed(head, encode({ sub: ME })), 'claim'],
    [signed(head, encode({ sub: ME, iss: ISSUER, aud: AUDIENCE })), 'claim'],
    [signed(`${head}.${head}`, payload), 'malformed'],
    [signed(head, `${payload}.${payload}`), 'malformed'],
    [signed(encode({}), payload), 'malformed'],
    [signed(encode({ alg: 'none' }), payload), 'algorithm'],
    [signed(encode({ alg: 'HS512' }), payload), 'signature'],
    [signed(encode({ alg: ['HS256'] }), payload), 'malformed'],
    [signed('', payload), 'malformed'],
  ] as const) {
    await rejects(token, reason);
  }
});

t.test('a token that was changed, cut or extended is refused', async (t) => {
  const { rejects } = await tokenGateway(t);
  const [head = '', payload = '', signature = ''] = (await sign()).split('.');
  const other = encode({ sub: 'cometchat-uid-1', iss: ISSUER, aud: AUDIENCE, exp: 9_999_999_999 });
  for (const [token, reason] of [
    ['opaque', 'malformed'],
    [`${head}.${other}.${signature}`, 'signature'],
    [`${head}.${payload}.`, 'signature'],
    [`${head}.${payload}`, 'malformed'],
    [`${head}.${payload}.${signature.slice(0, -2)}`, 'signature'],
    [`${head}.${payload}.${signature}.`, 'malformed'],
    [`${head}.${payload}.${signature}.${signature}.${signature}`, 'malformed'],
    [`${head}..${signature}`, 'signature'],
    [`.${payload}.${signature}`, 'malformed'],
    [await sign({}, { secret: 'x'.repeat(32) }), 'signature'],
  ] as const) {
    await rejects(token, reason);
  }
});
