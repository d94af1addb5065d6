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
import { AUDIENCE, ISSUER, ME, plantToken, SECRET, sign } from '../helper.ts';
import { issuer } from '../issuer.ts';
import { listening } from '../ports.ts';
import { faulty } from './faulty.ts';

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const unsecured = () =>
  new UnsecuredJWT({ sub: ME }).setIssuer(ISSUER).setAudience(AUDIENCE).setExpirationTime('1h').encode();
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
/** A token whose signature is right, whatever is signed. */
const signed = (head: string, payload: string) =>
  plantToken(
    `${head}.${payload}.${createHmac('sha256', SECRET).update(`${head}.${payload}`).digest('base64url')}`,
  );

t.test('alg none is no signature, whatever its spelling', async (t) => {
  const { put, refused } = await faulty(t);
  await refused(t, await put({ tags: [] }, bearer(unsecured())), 401, 'session-invalid');
  const [, payload = '', signature = ''] = (await sign()).split('.');
  for (const alg of ['None', 'NONE', 'nOnE', '', null]) {
    for (const tail of ['', signature]) {
      const token = `${encode({ alg })}.${payload}.${tail}`;
      await refused(t, await put({ tags: [] }, bearer(token)), 401, 'session-invalid');
    }
  }
});

t.test('a token of a shared secret is HS256 and no other algorithm', async (t) => {
  const { put, refused, served } = await faulty(t);
  await served(t, await put({ tags: [] }, bearer(await sign())));
  for (const alg of ['HS384', 'HS512']) {
    await refused(
      t,
      await put({ tags: [] }, bearer(await sign({}, { header: { alg } }))),
      401,
      'session-invalid',
    );
  }
});

t.test('the provider’s public key is no secret to sign with', async (t) => {
  const { env, jwk, key } = await issuer(t);
  const { put, refused, served } = await faulty(t, env);
  await served(t, await put({ tags: [] }, bearer(await key.sign())));
  const { publicKey } = key;
  for (const secret of [await exportSPKI(publicKey), JSON.stringify(jwk), jwk.n ?? '']) {
    const token = await sign({}, { secret, header: { alg: 'HS256', kid: key.kid } });
    await refused(t, await put({ tags: [] }, bearer(token)), 401, 'session-invalid');
  }
});

t.test('a key that a token brings along, or points at, is nobody’s', async (t) => {
  const { env, key } = await issuer(t);
  const { put, refused } = await faulty(t, env);
  const mine = await generateKeyPair('RS256', { extractable: true });
  const jwk = await exportJWK(mine.publicKey);
  let asked = 0;
  const server = http.createServer((_request, response) => {
    asked += 1;
    response.end(JSON.stringify({ keys: [{ ...jwk, kid: 'mine' }] }));
  });
  const url = `http://127.0.0.1:${await listening(t, server)}/`;
  const headers: Partial<JWTHeaderParameters>[] = [
    { jwk },
    { jwk, kid: key.kid },
    { jku: url, kid: 'mine' },
    { jku: url, kid: key.kid },
    { x5u: url, kid: key.kid },
    { kid: url },
    { kid: '../../../dev/null' },
  ];
  for (const header of headers) {
    const token = await new SignJWT({ sub: ME, iss: ISSUER, aud: AUDIENCE })
      .setProtectedHeader({ alg: 'RS256', ...header })
      .setExpirationTime('1h')
      .sign(mine.privateKey);
    await refused(t, await put({ tags: [] }, bearer(token)), 401, 'session-invalid');
  }
  t.equal(asked, 0, 'nobody followed the address');
});

t.test('an extension that must be understood, and is not, is refused', async (t) => {
  const { put, refused } = await faulty(t);
  const critical: Record<string, unknown>[] = [
    { crit: ['exp'], exp: 1 },
    { crit: ['unknown'], unknown: 1 },
    { crit: ['b64'], b64: false },
    { crit: [] },
    { crit: 'exp' },
  ];
  const [, payload = '', signature = ''] = (await sign()).split('.');
  for (const header of critical) {
    const head = encode({ alg: 'HS256', ...header });
    for (const token of [`${head}.${payload}.${signature}`, signed(head, payload)]) {
      await refused(t, await put({ tags: [] }, bearer(token)), 401, 'session-invalid');
    }
  }
  // Its signature is right, over a payload that is not encoded (RFC 7797).
  const claims = JSON.stringify({ sub: ME, iss: ISSUER, aud: AUDIENCE, exp: 9_999_999_999 });
  const head = encode({ alg: 'HS256', crit: ['b64'], b64: false });
  const mac = createHmac('sha256', SECRET).update(`${head}.${claims}`).digest('base64url');
  const plain = `${head}.${Buffer.from(claims).toString('base64url')}.${mac}`;
  await refused(t, await put({ tags: [] }, bearer(plain)), 401, 'session-invalid');
});

t.test('a right signature lets nobody in by itself', async (t) => {
  const { put, refused, served } = await faulty(t);
  const [head = '', payload = ''] = (await sign()).split('.');
  await served(t, await put({ tags: [] }, bearer(signed(head, payload))));
  for (const token of [
    signed(head, ''),
    signed(head, Buffer.from('no json').toString('base64url')),
    signed(head, encode(null)),
    signed(head, encode([])),
    signed(head, encode({})),
    signed(head, encode({ sub: ME })),
    signed(head, encode({ sub: ME, iss: ISSUER, aud: AUDIENCE })),
    signed(`${head}.${head}`, payload),
    signed(head, `${payload}.${payload}`),
    signed(encode({}), payload),
    signed(encode({ alg: 'none' }), payload),
    signed(encode({ alg: 'HS512' }), payload),
    signed(encode({ alg: ['HS256'] }), payload),
    signed('', payload),
  ]) {
    await refused(t, await put({ tags: [] }, bearer(token)), 401, 'session-invalid');
  }
});

t.test('a token that was changed, cut or stretched is refused', async (t) => {
  const { put, refused } = await faulty(t);
  const [head = '', payload = '', signature = ''] = (await sign()).split('.');
  const other = encode({ sub: 'cometchat-uid-1', iss: ISSUER, aud: AUDIENCE, exp: 9_999_999_999 });
  for (const token of [
    'opaque',
    `${head}.${other}.${signature}`,
    `${head}.${payload}.`,
    `${head}.${payload}`,
    `${head}.${payload}.${signature.slice(0, -2)}`,
    `${head}.${payload}.${signature}.`,
    `${head}.${payload}.${signature}.${signature}.${signature}`,
    `${head}..${signature}`,
    `.${payload}.${signature}`,
    await sign({}, { secret: 'x'.repeat(32) }),
  ]) {
    await refused(t, await put({ tags: [] }, bearer(token)), 401, 'session-invalid');
  }
});
