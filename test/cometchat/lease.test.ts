import { setTimeout as wait } from 'node:timers/promises';
import { CLIENT_GONE, SUPERSEDED } from '../../src/cometchat/outcome.ts';
import { countsOf } from '../helpers/metrics.ts';
import { redisTest } from '../helpers/redis.ts';
import { VirtualClock } from '../helpers/virtual-clock.ts';
import { leasesAt } from './leases-of.ts';

const NEVER = new AbortController().signal;
const LANE = 'write:v2:{lane}';

redisTest(
  'a replica that dies keeps the others waiting for its attempt and a second, no longer',
  async (t, server) => {
    const clock = new VirtualClock();
    const { redis, lease } = await leasesAt(t, server, { clock });
    const one = lease();
    await one.acquire(NEVER);
    const left = await redis.pttl(`${LANE}:lease`);
    t.ok(left > 1000 && left <= 1500, `${left} ms`);
    t.ok((await redis.pttl(LANE)) > 60_000, 'and what it knew goes by itself');
    clock.pass(999);
    t.ok(one.isHeld);
    clock.pass(1);
    t.notOk(one.isHeld, 'an attempt that began now could end in the turn of another');
  },
);

redisTest('a lease counts from when Redis was asked for it, however late it answers', async (t, server) => {
  const clock = new VirtualClock();
  const { redis, lease } = await leasesAt(t, server, { clock });
  const ask = redis.eval.bind(redis) as (...args: unknown[]) => Promise<unknown>;
  const late = async (...args: unknown[]) => {
    const reply = await ask(...args);
    clock.pass(600);
    return reply;
  };
  t.intercept(redis, 'eval', { value: late });
  const one = lease();
  t.equal(await one.acquire(NEVER), undefined);
  clock.pass(399);
  t.ok(one.isHeld);
  clock.pass(1);
  t.notOk(one.isHeld);
});

redisTest('the keys of a lane are in one slot of a Redis Cluster', async (t, server) => {
  const { redis, lease } = await leasesAt(t, server);
  await lease().acquire(NEVER);
  t.strictSame((await redis.keys('*')).sort(), [LANE, `${LANE}:lease`]);
});

redisTest('a lease that has ended takes the turn from nobody', async (t, server) => {
  const { redis, lease } = await leasesAt(t, server, { attemptMs: -950 });
  const [slow, next] = [lease(), lease()];
  await slow.acquire(NEVER);
  await wait(60);
  await next.acquire(NEVER);
  const holder = await redis.get(`${LANE}:lease`);
  slow.release();
  await redis.ping();
  t.equal(await redis.get(`${LANE}:lease`), holder);
});

redisTest('a write that is registered keeps no other waiting', async (t, server) => {
  const { redis, metrics, lease } = await leasesAt(t, server);
  const one = lease();
  one.register();
  t.ok(await one.isNewest());
  t.equal((await countsOf(metrics))['redis_failures write_order'], 0);
  t.equal(await redis.exists(`${LANE}:lease`), 0);
});

redisTest('an older write is superseded, whichever asks first', async (t, server) => {
  const { redis, lease } = await leasesAt(t, server);
  const [older, newer] = [lease(), lease()];
  older.register();
  newer.register();
  t.ok(await older.isNewest(), 'as far as anybody knows');
  await redis.ping();
  t.notOk(await older.isNewest());
  t.ok(await newer.isNewest());
  t.equal(await older.acquire(NEVER), SUPERSEDED);
  t.equal(await newer.acquire(NEVER), undefined);
  t.equal(await newer.acquire(NEVER), undefined, 'and the newer one can extend its lease');
});

redisTest(
  'an older write is superseded though the clock of Redis was set forward since',
  async (t, server) => {
    const { redis, lease } = await leasesAt(t, server);
    const [older, newer] = [lease(), lease()];
    older.register();
    newer.register();
    // What Redis has written down of the newer one now looks older than all.
    await redis.hset(LANE, 'at', 1);
    t.equal(await older.acquire(NEVER), SUPERSEDED);
    t.equal(await newer.acquire(NEVER), undefined);
  },
);

redisTest('an older write is superseded by one that came during its registration', async (t, server) => {
  // Its clock stands still: how long ago it came tells nothing.
  const here = await leasesAt(t, server, { clock: new VirtualClock() });
  const there = await leasesAt(t, server);
  const [older, newer] = [here.lease(), there.lease()];
  const ask = here.redis.eval.bind(here.redis) as (...args: unknown[]) => Promise<unknown>;
  let asked = 0;
  const afterTheNewer = async (...args: unknown[]) => {
    asked += 1;
    if (asked === 2) {
      newer.register();
      await there.redis.ping();
    }
    return ask(...args);
  };
  t.intercept(here.redis, 'eval', { value: afterTheNewer });
  older.register();
  t.equal(await older.acquire(NEVER), SUPERSEDED);
  t.ok(await newer.isNewest());
});

redisTest('a lease is waited for until it is released', async (t, server) => {
  const { lease } = await leasesAt(t, server);
  const [one, next] = [lease(), lease()];
  await one.acquire(NEVER);
  const waiting = next.acquire(NEVER);
  t.equal(await Promise.race([waiting, wait(50, 'waits')]), 'waits');
  one.release();
  t.equal(await waiting, undefined);
  t.ok(next.isHeld);
  t.notOk(one.isHeld);
});

redisTest('a lease is waited for until nobody wants it any more', async (t, server) => {
  const { lease } = await leasesAt(t, server);
  await lease().acquire(NEVER);
  const ended = new AbortController();
  const waiting = lease().acquire(ended.signal);
  await wait(20);
  ended.abort(CLIENT_GONE);
  t.equal(await waiting, CLIENT_GONE);
});

redisTest('a lease that is handed over is held by the other write', async (t, server) => {
  const { lease } = await leasesAt(t, server);
  const [one, next, third] = [lease(), lease(), lease()];
  await one.acquire(NEVER);
  one.transfer(next);
  t.ok(next.isHeld);
  t.equal(await next.acquire(NEVER), undefined, 'without waiting');
  next.release();
  t.equal(await third.acquire(NEVER), undefined);
});

redisTest('a Redis that has lost the lane learns its order again', async (t, server) => {
  const { redis, lease } = await leasesAt(t, server);
  const older = lease();
  await older.acquire(NEVER);
  older.release();
  // Redis tells writes apart by the millisecond.
  await wait(20);
  const newer = lease();
  newer.register();
  t.ok(await newer.isNewest());
  await redis.flushall();
  t.equal(await newer.acquire(NEVER), undefined);
  newer.release();
  t.equal(await older.acquire(NEVER), SUPERSEDED, 'though it has the version that the newer one has now');
});

redisTest('while Redis is down a replica knows of no newer write', async (t, server) => {
  const { redis, metrics, lease } = await leasesAt(t, server);
  const one = lease();
  await one.acquire(NEVER);
  t.intercept(redis, 'eval', { value: () => Promise.reject(new Error('Connection is closed.')) });
  t.ok(await one.isNewest(), 'so that equal writes are still sent once');
  t.equal((await countsOf(metrics))['redis_failures write_order'], 1);
});

redisTest('a reply of Redis that is none counts as a failure', async (t, server) => {
  const { redis, metrics, lease } = await leasesAt(t, server);
  t.intercept(redis, 'eval', { value: async () => ['?', '', 'held'] });
  const one = lease();
  t.equal(await one.acquire(NEVER), undefined, 'and the replica keeps the order of its own');
  t.ok(one.isHeld);
  t.equal((await countsOf(metrics))['redis_failures write_order'], 1);
});

redisTest(
  'a write of which Redis could not be told is not the newest, once Redis is back',
  async (t, server) => {
    const { redis, lease } = await leasesAt(t, server);
    const [one, waiting] = [lease(), lease()];
    const { eval: ask } = redis;
    t.intercept(redis, 'eval', { value: async () => Promise.reject(new Error('Command timed out')) });
    t.equal(await one.acquire(NEVER), undefined, 'it was sent all the same');
    waiting.register();
    // Redis tells writes apart by the millisecond.
    await wait(20);
    t.intercept(redis, 'eval', { value: ask.bind(redis) });
    const other = lease();
    other.register();
    for (const older of [one, waiting]) t.notOk(await older.isNewest(), 'so that an equal one is sent again');
    t.ok(await other.isNewest());
  },
);
