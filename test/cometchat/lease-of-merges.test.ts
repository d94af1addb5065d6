import { setTimeout as wait } from 'node:timers/promises';
import type { Test } from 'tap';
import { SUPERSEDED } from '../../src/cometchat/outcome.ts';
import { type RedisServer, redisTest } from '../helpers/redis.ts';
import { until } from '../helpers/until.ts';
import { leasesAt } from './leases-of.ts';

const NEVER = new AbortController().signal;
const LANE = 'write:v2:{lane}';

async function replica(t: Test, server: RedisServer) {
  const { redis, lease } = await leasesAt(t, server);
  return { redis, replace: (leftMs?: number) => lease('replace', leftMs), merge: () => lease('merge') };
}

/** Whether a lease is still waited for after a while. */
const waits = async (acquired: Promise<unknown>) =>
  (await Promise.race([acquired, wait(60, 'waits')])) === 'waits';

redisTest('a merge waits until a replace that came before it is over', async (t, server) => {
  const { replace, merge } = await replica(t, server);
  const [older, newer] = [replace(), merge()];
  older.register();
  newer.register();
  const acquired = newer.acquire(NEVER);
  t.ok(await waits(acquired), 'though nobody holds the lease');
  t.equal(await older.acquire(NEVER), undefined);
  older.release();
  t.ok(await waits(acquired), 'the replace has only to wait for its next attempt');
  older.end();
  t.equal(await acquired, undefined);
});

redisTest('or until that cannot be sent any more: its replica may have died', async (t, server) => {
  const { replace, merge } = await replica(t, server);
  replace(120).register();
  const newer = merge();
  newer.register();
  const start = performance.now();
  t.equal(await newer.acquire(NEVER), undefined);
  const waited = performance.now() - start;
  t.ok(waited > 90, `${waited} ms`);
});

redisTest('a replace that nobody waits for any more holds up no merge', async (t, server) => {
  const { replace, merge } = await replica(t, server);
  const abandoned = replace();
  abandoned.register();
  abandoned.end();
  t.equal(await merge().acquire(NEVER), undefined);
});

redisTest('a merge gives way to a replace that came after it, and to no merge', async (t, server) => {
  const { replace, merge } = await replica(t, server);
  const [first, second, third] = [merge(), merge(), replace()];
  first.register();
  second.register();
  t.ok(await first.isNewest());
  t.equal(await first.acquire(NEVER), undefined);
  third.register();
  t.equal(await first.acquire(NEVER), SUPERSEDED, 'before its write');
  t.equal(await second.acquire(NEVER), SUPERSEDED);
  t.notOk(await first.isNewest());
  first.release();
  t.equal(await third.acquire(NEVER), undefined);
});

redisTest('a merge supersedes nothing', async (t, server) => {
  const { replace, merge } = await replica(t, server);
  const older = replace();
  older.register();
  merge().register();
  t.ok(await older.isNewest());
  t.equal(await older.acquire(NEVER), undefined);
});

redisTest(
  'a merge of which Redis could not be told gives way to a replace that came since',
  async (t, server) => {
    const { redis, replace, merge } = await replica(t, server);
    const older = merge();
    const { eval: ask } = redis;
    t.intercept(redis, 'eval', { value: async () => Promise.reject(new Error('Command timed out')) });
    older.register();
    t.intercept(redis, 'eval', { value: ask.bind(redis) });
    // Redis tells writes apart by the millisecond.
    await wait(20);
    replace().register();
    t.equal(await older.acquire(NEVER), SUPERSEDED);
  },
);

redisTest(
  'a merge waits for a replace that came before it, and could only be registered after it',
  async (t, server) => {
    const { redis, replace, merge } = await replica(t, server);
    const older = replace();
    const { eval: ask } = redis;
    t.intercept(redis, 'eval', { value: async () => Promise.reject(new Error('Connection is closed.')) });
    t.equal(await older.acquire(NEVER), undefined, 'it was sent all the same');
    t.intercept(redis, 'eval', { value: ask.bind(redis) });
    await wait(20);
    const newer = merge();
    newer.register();
    t.equal(await older.acquire(NEVER), undefined, 'and is sent again');
    t.ok(await newer.isNewest());
    const acquired = newer.acquire(NEVER);
    t.ok(await waits(acquired));
    older.end();
    t.equal(await acquired, undefined);
  },
);

redisTest('merges of a busy gateway leave a place for that of another one', async (t, server) => {
  const [busy, other] = [await replica(t, server), await replica(t, server)];
  const first = busy.merge();
  await first.acquire(NEVER);
  const theirs = other.merge();
  const acquired = theirs.acquire(NEVER);
  await until('their place', async () => (await busy.redis.exists(`${LANE}:next`)) === 1);
  const next = busy.merge();
  first.end();
  const following = next.acquire(NEVER);
  t.equal(await acquired, undefined);
  t.ok(await waits(following));
  theirs.end();
  t.equal(await following, undefined);
  next.end();
});

redisTest('a place is lost where its merge is over, or does not ask any more', async (t, server) => {
  const { redis, merge } = await replica(t, server);
  const [first, second, third] = [merge(), merge(), merge()];
  await first.acquire(NEVER);
  const ended = new AbortController();
  const acquired = second.acquire(ended.signal);
  await until('its place', async () => (await redis.exists(`${LANE}:next`)) === 1);
  t.ok((await redis.pttl(`${LANE}:next`)) <= 500);
  ended.abort(SUPERSEDED);
  await acquired;
  second.end();
  first.end();
  t.equal(await third.acquire(NEVER), undefined);
});

redisTest('a merge goes on though Redis has lost the lane', async (t, server) => {
  const { redis, replace, merge } = await replica(t, server);
  const before = replace();
  await before.acquire(NEVER);
  before.end();
  const one = merge();
  t.equal(await one.acquire(NEVER), undefined);
  await redis.flushall();
  t.equal(await one.acquire(NEVER), undefined);
});

redisTest('a lease tells whether another replica may have written meanwhile', async (t, server) => {
  const { redis, merge } = await replica(t, server);
  const one = merge();
  const grants: number[] = [];
  const acquire = async () => {
    await one.acquire(NEVER);
    grants.push(one.grant);
  };
  await acquire();
  await acquire();
  t.equal(grants[0], grants[1], 'it was extended');
  await redis.del(`${LANE}:lease`);
  await acquire();
  t.not(grants[2], grants[1], 'it had ended');
  const { eval: ask } = redis;
  t.intercept(redis, 'eval', { value: async () => Promise.reject(new Error('Command timed out')) });
  await acquire();
  t.not(grants[3], grants[2], 'Redis could not be asked');
  await acquire();
  t.equal(grants[4], grants[3], 'all the time');
  t.intercept(redis, 'eval', { value: ask.bind(redis) });
  await acquire();
  t.not(grants[5], grants[4], 'and can again');
});
