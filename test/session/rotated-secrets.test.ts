import t from 'tap';
import { secretSessions } from '../../src/session/secret.ts';
import { SECRET } from '../helpers/secrets.ts';
import { ME, RULES, sign } from '../helpers/tokens.ts';
import { throwing } from './throwing.ts';
import { tokenGateway } from './token-gateway.ts';

const OLDER = 'o'.repeat(40);

/** A verifier of these secrets, which may be replaced. */
function verifier(...current: readonly string[]) {
  const secrets = { current };
  return { secrets, verify: throwing(secretSessions({ secrets, ...RULES })) };
}

t.test('while secrets are rotated, tokens of the older one are good', async (t) => {
  const { accepts, rejects } = await tokenGateway(t, { SESSION_SECRET: `${SECRET},${OLDER}` });
  for (const secret of [SECRET, OLDER]) {
    await accepts(await sign({}, { secret }));
    await rejects(await sign({ exp: 1 }, { secret }), 'expired', { code: 'session-expired' });
  }
});

t.test('a token that was accepted is refused once its secret is withdrawn', async (t) => {
  const { secrets, verify } = verifier(OLDER);
  const token = await sign({}, { secret: OLDER });
  t.match(await verify(token), { sub: ME });
  secrets.current = [SECRET, OLDER];
  for (const _ of [1, 2]) t.match(await verify(token), { sub: ME });
  secrets.current = [SECRET];
  await t.rejects(verify(token), { code: 'session-invalid' });
  t.match(await verify(await sign()), { sub: ME });
});

t.test('a forged token is refused before jose sees it, whatever else is wrong with it', async (t) => {
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
  t.equal(signatures().length, 0, 'jose was not asked');
});

t.test('an error that is not about the token is thrown as it is', async (t) => {
  const clock = () => {
    throw new TypeError('no clock');
  };
  const verify = throwing(secretSessions({ secrets: { current: [SECRET] }, ...RULES }, clock));
  await t.rejects(verify(await sign()), { message: 'no clock' });
});
