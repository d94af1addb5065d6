import t from 'tap';
import { secretSessions } from '../../src/session/secret.ts';
import { AUDIENCE, build, ISSUER, isProblem, SECRET, sign } from '../helper.ts';

const now = () => Math.floor(Date.now() / 1000);

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
  const verify = secretSessions(
    { secrets: { current: [SECRET] }, issuer: ISSUER, audience: AUDIENCE },
    clock,
  );
  await t.rejects(verify(await sign()), { message: 'no clock' });
});
