import { UnsecuredJWT } from 'jose';
import t from 'tap';
import { secretSessions } from '../../src/session/secret.ts';
import { AUDIENCE, build, ISSUER, isProblem, ME, SECRET, sign } from '../helper.ts';

const now = () => Math.floor(Date.now() / 1000);

t.test('tokens that are not this service’s are refused, and CometChat is not called', async (t) => {
  const { put, sandbox } = await build(t);
  const [head = '', payload = '', signature = ''] = (await sign()).split('.');
  const refused: Record<string, string> = {
    'no JWT': 'opaque',
    'another secret': await sign({}, { secret: 'x'.repeat(32) }),
    'alg none': new UnsecuredJWT({ sub: ME })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setExpirationTime('1h')
      .encode(),
    'another algorithm': await sign({}, { header: { alg: 'HS384' } }),
    'a changed payload': `${head}.${payload.slice(0, -2)}AA.${signature}`,
    'no signature': `${head}.${payload}.`,
    'no exp': await sign({ exp: undefined }),
    'exp as text': await sign({ exp: 'tomorrow' }),
    'no issuer': await sign({ iss: undefined }),
    'another issuer': await sign({ iss: 'https://else.example' }),
    'no audience': await sign({ aud: undefined }),
    'another audience': await sign({ aud: ['else'] }),
    'not yet good': await sign({ nbf: now() + 120 }),
  };
  for (const [name, token] of Object.entries(refused)) {
    const answer = await put({ tags: ['x'] }, { authorization: `Bearer ${token}` });
    t.comment(name);
    isProblem(t, answer, 401, 'session-invalid');
    t.match(answer.headers.get('www-authenticate'), /^Bearer .*error="invalid_token"/);
  }
  t.equal(sandbox.calls.length, 0);
});

t.test('the claim that is at fault is named', async (t) => {
  const { put } = await build(t);
  const missing = await put({ tags: [] }, { authorization: `Bearer ${await sign({ exp: undefined })}` });
  t.equal(missing.json.detail, 'The claim "exp" of the session token is missing.');
  const wrong = await put({ tags: [] }, { authorization: `Bearer ${await sign({ aud: 'else' })}` });
  t.equal(wrong.json.detail, 'The claim "aud" of the session token is not as required.');
});

t.test('an expired session says so, so that an app knows to refresh it', async (t) => {
  const { put, sandbox } = await build(t);
  for (const age of [1, 31, 3600]) {
    const answer = await put({ tags: [] }, { authorization: `Bearer ${await sign({ exp: now() - age })}` });
    isProblem(t, answer, 401, 'session-expired');
    t.match(answer.headers.get('www-authenticate'), /error="invalid_token", error_description="expired"/);
  }
  t.equal(sandbox.calls.length, 0);
});

t.test('the issuer’s clock may be half a minute ahead, but a session ends on time', async (t) => {
  let time = 1_800_000_000;
  const verify = secretSessions(
    { secrets: [SECRET], issuer: ISSUER, audience: AUDIENCE },
    () => new Date(time * 1000),
  );
  const token = await sign({ nbf: time, exp: time + 60 });
  time -= 30;
  t.match(await verify(token), { sub: ME });
  time -= 1;
  await t.rejects(verify(token), { code: 'session-invalid' });
  time += 31 + 59;
  t.match(await verify(token), { sub: ME });
  time += 1;
  await t.rejects(verify(token), { code: 'session-expired' });
});

t.test('while secrets are rotated, tokens of the older one are good', async (t) => {
  const older = 'o'.repeat(40);
  const { put } = await build(t, { SESSION_SECRET: `${SECRET},${older}` });
  for (const secret of [SECRET, older]) {
    t.equal((await put({ tags: [] }, { authorization: `Bearer ${await sign({}, { secret })}` })).status, 200);
    const expired = await sign({ exp: now() - 60 }, { secret });
    isProblem(t, await put({ tags: [] }, { authorization: `Bearer ${expired}` }), 401, 'session-expired');
  }
});

t.test('an error that is not the token’s stays an error', async (t) => {
  const clock = () => {
    throw new TypeError('no clock');
  };
  const verify = secretSessions({ secrets: [SECRET], issuer: ISSUER, audience: AUDIENCE }, clock);
  await t.rejects(verify(await sign()), { message: 'no clock' });
});

t.test('a session whose subject is no legal uid maps to nobody', async (t) => {
  const { put, sandbox } = await build(t);
  for (const sub of ['Alice', 'a b', 'me@app.example', '../users', '', 'x'.repeat(101), undefined]) {
    const answer = await put({ tags: [] }, { authorization: `Bearer ${await sign({ sub })}` });
    isProblem(t, answer, 403, 'identity-unmapped');
  }
  t.equal(sandbox.calls.length, 0);
});
