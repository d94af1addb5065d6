import type { Test } from 'tap';
import { issuer } from '../helpers/issuer.ts';
import { type RedisServer, redisTest } from '../helpers/redis.ts';
import { ME, OTHER, sign } from '../helpers/tokens.ts';
import { tokenGateway } from './token-gateway.ts';

const REVOKED = { code: 'session-revoked' } as const;
const now = () => Math.floor(Date.now() / 1000);

/** A gateway, and what is stored of when a user was signed out. */
async function withSignOut(t: Test, redis: RedisServer, env = {}) {
  const gateway = await tokenGateway(t, { REDIS_URL: redis.url, ...env });
  const signOut = (moment: string | number, sub: string | number = ME) =>
    redis.command('SET', `revoked-before:${sub}`, moment);
  return { ...gateway, signOut };
}

redisTest('all JWTs of a user that were issued until a moment are ended', async (t, redis) => {
  const { accepts, rejects, signOut } = await withSignOut(t, redis);
  const moment = now() - 10;
  const issued = (iat?: number, claims = {}) => sign({ iat, ...claims });
  const old = await issued(moment);
  await accepts(old);
  await signOut(moment);
  for (const token of [old, await issued(moment - 1), await issued(moment - 0.5)]) {
    await rejects(token, 'revoked', REVOKED);
  }
  const { json } = await rejects(await issued(), 'revoked', REVOKED);
  t.match(json.detail, 'The session has no "iat", so it counts as older');
  await rejects(await issued(moment, { jti: 'a' }), 'revoked', REVOKED);
  for (const claims of [{}, { jti: 'a' }]) {
    await accepts(await issued(moment + 1, claims));
    await accepts(await issued(moment + 0.5, claims));
    await accepts(await issued(moment, { ...claims, sub: OTHER }));
  }
  await redis.command('SET', 'revoked:a', 1);
  await rejects(await issued(moment + 1, { jti: 'a' }), 'revoked', REVOKED);
  await redis.command('DEL', `revoked-before:${ME}`);
  await accepts(old);
});

redisTest('so are those of an identity provider', async (t, redis) => {
  const { env, key } = await issuer(t, 'ES256');
  const { accepts, rejects, signOut } = await withSignOut(t, redis, env);
  const token = await key.sign();
  await accepts(token);
  await signOut(now());
  await rejects(token, 'revoked', REVOKED);
});

redisTest('a moment may have a fraction, or a line break at its end', async (t, redis) => {
  const { accepts, rejects, signOut } = await withSignOut(t, redis);
  const iat = now() - 10;
  for (const moment of [`${iat}.25`, `${iat}\n`, `${iat}.0`]) {
    await signOut(moment);
    await rejects(await sign({ iat }), 'revoked', REVOKED);
    await accepts(await sign({ iat: iat + 1 }));
  }
});

redisTest('what is no number of UNIX seconds lets nobody in, and the log says so', async (t, redis) => {
  const { accepts, send, refused, signOut, lines } = await withSignOut(t, redis);
  for (const moment of ['', ' ', 'now', '-1', '0x10', '1e9', 'NaN', '2026-11-23T12:00:00Z', Date.now()]) {
    await signOut(moment);
    lines.length = 0;
    await refused(t, async () => send(await sign()), 503, 'session-store-unavailable', {
      reason: 'unchecked',
      retryAfter: 2,
      line: { error: { type: 'revoked_before_invalid' } },
    });
    t.match(
      lines.join(),
      /"level":"error".*"sub":"cometchat-uid-4","msg":"revoked-before in Redis is no number of UNIX seconds/,
    );
    t.notMatch(lines.join(), /NaN|0x10|2026-11-23T12/, 'and not what it is');
  }
  await accepts(await sign({ sub: OTHER }));
});

redisTest('users may be numbered', async (t, redis) => {
  const { rejects, signOut } = await withSignOut(t, redis);
  await signOut(now(), 7);
  for (const sub of [7, '7']) await rejects(await sign({ sub }), 'revoked', REVOKED);
});

redisTest(
  'a JWT whose sub is neither text nor a number is refused, since nobody could end it',
  async (t, redis) => {
    const { accepts, rejects } = await withSignOut(t, redis, { UID_TEMPLATE: '{uid}' });
    for (const sub of [null, true, ['a'], { a: 1 }, 1.5, 2 ** 53]) {
      await rejects(await sign({ sub, uid: ME }), 'claim');
    }
    await accepts(await sign({ sub: undefined, uid: ME }));
  },
);
