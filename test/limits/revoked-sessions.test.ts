import type { Test } from 'tap';
import { type Answer, callBytes } from '../helpers/answers.ts';
import { type RedisServer, redisTest } from '../helpers/redis.ts';
import { redisProxy } from '../helpers/redis-proxy.ts';
import { bearer, ME } from '../helpers/tokens.ts';
import { until } from '../helpers/until.ts';
import { limited } from './limited.ts';

/** A gateway that lets a user make so many requests, before a Redis in which the JWT `a` is revoked. */
async function withRevoked(t: Test, redis: RedisServer, perMinute: number, url = redis.url) {
  await redis.command('SET', 'revoked:a', 1);
  const gateway = await limited(t, perMinute, { REDIS_URL: url });
  const { as, refused } = gateway;
  const isTold = (answer: Answer) => t.equal(answer.headers.get('ratelimit'), null, 'nothing of a limit');
  return {
    ...gateway,
    isRevoked: async (user = ME) =>
      isTold(
        await refused(t, () => as(user, { jti: 'a' }), 401, 'session-revoked', {
          reason: 'revoked',
          line: { address: '127.0.0.1', onBehalfOf: undefined },
        }),
      ),
    isUnchecked: async (user: string, type: string, moved: Record<string, number> = {}) =>
      isTold(
        await refused(t, () => as(user, { jti: 'b' }), 503, 'session-store-unavailable', {
          reason: 'unchecked',
          retryAfter: 2,
          line: { error: { type }, address: undefined, onBehalfOf: undefined },
          moved: { 'redis_failures revocation': 1, ...moved },
        }),
      ),
    /** Waits until nothing is counted any more. */
    isUncounted: async () => {
      await until('the count to be given back', async () => {
        const [mine, total] = (await redis.command('HMGET', 'rate:v2:user:0', ME, ':total')) as string[];
        return Number(mine) === 0 && Number(total) === 0;
      });
      t.strictSame(await redis.command('KEYS', 'rate:v2:address:*'), [], 'nor for an address');
      t.strictSame(await redis.command('KEYS', 'quota:*'), [], 'nor of the quota');
    },
  };
}

redisTest('requests of a revoked session count nowhere', async (t, redis) => {
  const { as, isRevoked, isUncounted, served, isBeyond, setTags } = await withRevoked(t, redis, 2);
  const flood = await Promise.all(Array.from({ length: 9 }, () => as(ME, { jti: 'a' })));
  t.ok(flood.every(({ status }) => status === 401));
  await isUncounted();
  await isRevoked();
  await isUncounted();
  for (const _ of [1, 2]) await served(t);
  await isBeyond('user')(setTags);
});

redisTest('they take nothing from the good requests among them', async (t, redis) => {
  const proxy = await redisProxy(t, redis);
  const { as } = await withRevoked(t, redis, 2, proxy.url);
  proxy.hold();
  const answers = [...Array(9).fill('a'), 'good'].map((jti) => as(ME, { jti }));
  await proxy.pass(30);
  proxy.release();
  const statuses = (await Promise.all(answers)).map(({ status }) => status);
  t.strictSame(statuses, [...Array(9).fill(401), 200]);
  t.equal((await as(ME, { jti: 'good' })).status, 200);
});

redisTest('a user beyond the limit is told first that the session was revoked', async (t, redis) => {
  const { as, isRevoked, served, isBeyond, setTags } = await withRevoked(t, redis, 1);
  await served(t);
  await isRevoked();
  await isBeyond('user')(setTags);
  await isRevoked();
  await isBeyond('user')(setTags);
  await isBeyond('user')(() => as(ME, { jti: 'good' }));
});

redisTest('who is no user of CometChat’s is told first that the session was revoked', async (t, redis) => {
  const { isRevoked, isUncounted, stranger, isStranger } = await withRevoked(t, redis, 1);
  for (const _ of [1, 2]) await isRevoked('Nobody');
  await isUncounted();
  await isStranger(() => stranger());
});

redisTest('requests whose session cannot be checked count nowhere', async (t, redis) => {
  const { isUnchecked, isUncounted, served } = await withRevoked(t, redis, 1);
  await redis.command('ACL', 'SETUSER', 'default', '-exists');
  for (const user of [ME, ME, 'Nobody']) await isUnchecked(user, 'NOPERM');
  await isUncounted();
  await served(t);
});

redisTest('nor do they when a Redis that hung goes on', async (t, redis) => {
  const { isUnchecked, isUncounted } = await withRevoked(t, redis, 1);
  redis.freeze();
  t.teardown(() => redis.thaw());
  await isUnchecked(ME, 'timeout', { 'redis_failures rate_limit': 1 });
  redis.thaw();
  await until('the count', async () => (await redis.command('EXISTS', 'rate:v2:user:0')) === 1);
  await isUncounted();
});

redisTest('nor does a request whose client has left before Redis answers', async (t, redis) => {
  const proxy = await redisProxy(t, redis);
  const { connect, counted, isUncounted } = await withRevoked(t, redis, 1, proxy.url);
  const { authorization } = await bearer({ jti: 'a' });
  const { client, server } = await connect();
  proxy.hold();
  client.write(callBytes(`Authorization: ${authorization}`, 'Content-Type: application/json'));
  await until('the request', () => server.bytesRead > 0);
  client.destroy();
  await counted('clients_gone');
  t.strictSame(await proxy.pass(3), ['eval', 'exists', 'get']);
  proxy.release();
  await counted('sessions_refused revoked');
  await isUncounted();
});
