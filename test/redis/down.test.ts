import type { Test } from 'tap';
import { isProblem } from '../helpers/answers.ts';
import { type Gateway, startGateway } from '../helpers/gateway.ts';
import { opaqueSessions, RedisServer, redisTest } from '../helpers/redis.ts';
import { until } from '../helpers/until.ts';
import { isServedAlone, isUnchecked, STORED, withOpaque, withoutJti, withRevocable } from './outage.ts';

/** Whether the log and the metrics say that the connection is lost. */
const isLost = async ({ lines, counts }: Gateway) =>
  /"level":"warn".*"Redis connection lost"/.test(lines.join()) && (await counts()).redis_connected === 0;

/** A gateway that takes JWTs, and one whose sessions are in the same Redis. */
async function both(t: Test, redis: RedisServer) {
  const jwt = await startGateway(t, { REDIS_URL: redis.url });
  const opaque = await startGateway(t, opaqueSessions(redis.url));
  const calls = [
    [jwt, withRevocable],
    [opaque, withOpaque],
  ] as const;
  return {
    jwt,
    calls,
    /** Waits until both have noticed; a Redis that hangs is noticed by a call. */
    async lose(t: Test, type?: string) {
      const losing = calls.map(async ([gateway, call]) => {
        if (type) await isUnchecked(t, gateway, call, type);
        await until('the loss of Redis', () => isLost(gateway));
      });
      await Promise.all(losing);
    },
    /** Sessions that Redis must be asked about are refused at once, and everything else is served. */
    async failsClosed(t: Test) {
      for (const [gateway, call] of calls) {
        for (const _ of [1, 2, 3]) await isUnchecked(t, gateway, call);
      }
      await isServedAlone(t, jwt);
      const ready = await jwt.get('/readyz');
      t.equal(ready.status, 200, 'who has another kind of session, or no jti, is served');
      t.match(ready.json, { status: 'ok', redis: 'unavailable' });
      isProblem(t, await opaque.get('/readyz'), 503, 'session-store-unavailable');
    },
    /** Waits until both are served again, by nobody's help. */
    async recovers(t: Test) {
      for (const [gateway, call] of calls) {
        await until('a call that is served', async () => (await call(gateway)).status !== 503);
        await gateway.served(t, () => call(gateway));
        t.match((await gateway.get('/readyz')).json, { redis: 'ok' });
      }
    },
  };
}

redisTest('an outage uses up nobody’s limit, and the limit of each process holds', async (t) => {
  const redis = await RedisServer.start(t, { down: true });
  const gateway = await startGateway(
    t,
    { REDIS_URL: redis.url, RATE_LIMIT_PER_MINUTE: '2' },
    { seams: { now: () => 0 } },
  );
  for (const _ of [1, 2, 3]) await isUnchecked(t, gateway, withRevocable);
  for (const _ of [1, 2]) await isServedAlone(t, gateway);
  await gateway.refused(t, () => withoutJti(gateway), 429, 'rate-limited', {
    retryAfter: 60,
    moved: { 'rate_limited user': 1, 'redis_failures revocation': 1, 'redis_failures rate_limit': 2 },
  });
});

redisTest('Redis is down at the start, and comes', async (t) => {
  const redis = await RedisServer.start(t, { down: true });
  const { jwt, failsClosed, recovers } = await both(t, redis);
  await failsClosed(t);
  await redis.start();
  await redis.command(...STORED);
  await recovers(t);
  const lost = jwt.lines.filter((line) => line.includes('Redis connection lost'));
  t.equal(lost.length, 1, 'the log has it once');
  t.match(lost[0], /"type":"ECONNREFUSED"/, 'with its reason');
});

redisTest('Redis crashes, and comes back', async (t, redis) => {
  await redis.command(...STORED);
  const { jwt, lose, failsClosed, recovers } = await both(t, redis);
  await recovers(t);
  await redis.stop();
  await lose(t);
  await failsClosed(t);
  await redis.start();
  await redis.command(...STORED);
  await recovers(t);
  t.match(jwt.lines.join(), /"level":"info".*"Redis connection restored"/);
});

redisTest(
  'while Redis hangs each request is answered, and when it goes on all is as before',
  async (t, redis) => {
    await redis.command(...STORED);
    const { lose, failsClosed, recovers } = await both(t, redis);
    await recovers(t);
    redis.freeze();
    t.teardown(() => redis.thaw());
    await lose(t, 'timeout');
    await failsClosed(t);
    redis.thaw();
    await recovers(t);
  },
);

redisTest(
  'after a failover Redis takes no writes: limits are the process’s, sessions hold',
  async (t, redis) => {
    await redis.command(...STORED);
    const { calls, recovers } = await both(t, redis);
    await redis.command('REPLICAOF', '127.0.0.1', 1);
    for (const [gateway, call] of calls) {
      // The connection is made anew meanwhile.
      for (const _ of [1, 2]) {
        await until('a call that is served', async () => (await call(gateway)).status === 200);
      }
      t.not((await gateway.counts())['redis_failures rate_limit'], 0);
    }
    await redis.command('REPLICAOF', 'NO', 'ONE');
    await recovers(t);
  },
);
