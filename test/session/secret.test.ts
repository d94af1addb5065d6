import t from 'tap';
import { secretSessions } from '../../src/session/secret.ts';
import { AUDIENCE, build, ISSUER, isProblem, ME, SECRET, sign } from '../helper.ts';

const now = () => Math.floor(Date.now() / 1000);
const OLDER = 'o'.repeat(40);

/** A verifier of these secrets, which may be replaced. */
function verifier(...current: readonly string[]) {
  const secrets = { current };
  return { secrets, verify: secretSessions({ secrets, issuer: ISSUER, audience: AUDIENCE }) };
}

t.test('while secrets are rotated, tokens of the older one are good', async (t) => {
  const { put } = await build(t, { SESSION_SECRET: `${SECRET},${OLDER}` });
  for (const secret of [SECRET, OLDER]) {
    t.equal((await put({ tags: [] }, { authorization: `Bearer ${await sign({}, { secret })}` })).status, 200);
    const expired = await sign({ exp: now() - 60 }, { secret });
    isProblem(t, await put({ tags: [] }, { authorization: `Bearer ${expired}` }), 401, 'session-expired');
  }
});

t.test('a secret that is withdrawn takes along the tokens that it has let in before', async (t) => {
  const { secrets, verify } = verifier(OLDER);
  const token = await sign({}, { secret: OLDER });
  t.match(await verify(token), { sub: ME });
  secrets.current = [SECRET, OLDER];
  for (const _ of [1, 2]) t.match(await verify(token), { sub: ME });
  secrets.current = [SECRET];
  await t.rejects(verify(token), { code: 'session-invalid' });
  t.match(await verify(await sign()), { sub: ME });
});

t.test('a forged token is found out at once, whatever else is wrong with it', async (t) => {
  const { verify } = verifier(SECRET, OLDER);
  const secret = 'f'.repeat(40);
  const [head, payload] = (await sign()).split('.');
  const signatures = t.capture(crypto.subtle, 'verify', crypto.subtle.verify);
  for (const forged of [
    await sign({}, { secret }),
    await sign({ exp: 1, aud: 'else' }, { secret }),
    (await sign()).replace(/.{43}$/, Buffer.alloc(32).toString('base64url')),
    `${head}.${payload}.`,
  ]) {
    await t.rejects(verify(forged), { code: 'session-invalid', reason: 'signature' });
  }
  t.equal(signatures().length, 0, 'no thread was kept busy with it');
});

t.test('an error that is not the token’s stays an error', async (t) => {
  const clock = () => {
    throw new TypeError('no clock');
  };
  const verify = secretSessions(
    { secrets: { current: [SECRET] }, issuer: ISSUER, audience: AUDIENCE },
    clock,
  );
  await t.rejects(verify(await sign()), { message: 'no clock' });
});
