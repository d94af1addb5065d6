import { once } from 'node:events';
import type { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { connect, redisConnection } from '../../src/redis/connection.ts';
import { MINUTE_MS, MinuteCounter, minuteAt, type Tally } from '../../src/redis/minute-counter.ts';
import { metricOf, services, unlessInstalled } from '../helper.ts';
import { RedisServer } from '../redis-server.ts';

const NUMBER = 30_000_000;
const MINUTE = NUMBER * MINUTE_MS;

/** A counter with a clock that the test sets, and what it logs. */
function counterOf(t: Test, redis?: Redis, name = 'count', clock = { now: MINUTE }) {
  const around = services(redis, { now: () => clock.now });
  const warned = t.capture(around.log, 'warn');
  const informed = t.capture(around.log, 'info');
  const counter = new MinuteCounter(name, 'quota', around, { limit: 'user' });
  return {
    clock,
    counter,
    count: async (key: string) => numbers(await counter.add(key)),
    failures: () => metricOf(around.metrics, 'redis_failures_total', { use: 'quota' }),
    warnings: () => warned().map(({ args }) => args as unknown[]),
    news: () => informed().map(({ args }) => args as unknown[]),
  };
}

const numbers = ({ count, total, keys }: Tally) => [count, total, keys];

/** A connection as the gateway makes it, for the length of a test. */
async function connected(t: Test, server: RedisServer): Promise<Redis> {
  const redis = await redisConnection({ current: server.url }, services());
  t.teardown(() => redis.disconnect());
  await connect(redis);
  return redis;
}

/** A Redis that answers every script in this way. */
const redisThat = (reply: () => Promise<unknown>) => ({ eval: reply }) as unknown as Redis;

t.test('the minute of a moment, and what is left of it: never no second, nor more than 60', async (t) => {
  t.strictSame(minuteAt(0), { number: 0, elapsedMs: 0, secondsLeft: 60 });
  t.strictSame(minuteAt(1), { number: 0, elapsedMs: 1, secondsLeft: 60 });
  t.strictSame(minuteAt(59_000), { number: 0, elapsedMs: 59_000, secondsLeft: 1 });
  t.strictSame(minuteAt(59_999), { number: 0, elapsedMs: 59_999, secondsLeft: 1 });
  t.strictSame(minuteAt(60_000), { number: 1, elapsedMs: 0, secondsLeft: 60 });
});

for (const place of ['this process', 'Redis']) {
  const options = place === 'Redis' ? unlessInstalled('redis-server') : {};
  const redisOf = async (t: Test) =>
    place === 'Redis' ? connected(t, await RedisServer.start(t)) : undefined;

  t.test(`${place}: each key has a count of its own, and all have a total`, options, async (t) => {
    const { count } = counterOf(t, await redisOf(t));
    t.strictSame(await count('a'), [1, 1, 1]);
    t.strictSame(await count('a'), [2, 2, 1]);
    t.strictSame(await count('b'), [1, 3, 2]);
    t.strictSame(await count('a'), [3, 4, 2]);
  });

  t.test(`${place}: what comes at once is counted one by one`, options, async (t) => {
    const { count } = counterOf(t, await redisOf(t));
    const tallies = await Promise.all(Array.from({ length: 20 }, () => count('a')));
    t.strictSame(
      tallies,
      Array.from({ length: 20 }, (_, n) => [n + 1, n + 1, 1]),
    );
  });

  t.test(`${place}: what is taken back is not counted, and its key still is`, options, async (t) => {
    const { count, counter } = counterOf(t, await redisOf(t));
    await count('a');
    const { takeBack } = await counter.add('b');
    takeBack();
    t.strictSame(await count('a'), [2, 2, 2]);
    t.strictSame(await count('b'), [1, 3, 2]);
  });

  t.test(`${place}: every minute counts by itself`, options, async (t) => {
    const { clock, count } = counterOf(t, await redisOf(t));
    await count('a');
    clock.now += 59_999;
    t.strictSame(await count('a'), [2, 2, 1]);
    clock.now += 1;
    t.strictSame(await count('a'), [1, 1, 1]);
  });

  t.test(`${place}: what is taken back in a later minute was not of that one`, options, async (t) => {
    const { clock, count, counter } = counterOf(t, await redisOf(t));
    const { takeBack } = await counter.add('a');
    clock.now += MINUTE_MS;
    await count('a');
    takeBack();
    t.strictSame(await count('a'), [2, 2, 1]);
  });

  t.test(`${place}: a clock that is set back counts from 0 in its new minute`, options, async (t) => {
    const { clock, count } = counterOf(t, await redisOf(t));
    for (const jump of [0, -3600_000, 7200_000, -86_400_000]) {
      clock.now += jump;
      t.strictSame(await count('a'), [1, 1, 1], `a jump of ${jump} ms`);
      t.strictSame(await count('a'), [2, 2, 1]);
    }
  });
}

t.test('this process knows 50,000 keys, and forgets the one that was not used for longest', async (t) => {
  const { counter, count } = counterOf(t);
  for (let n = 1; n <= 50_000; n += 1) await counter.add(`${n}`);
  t.strictSame(await count('1'), [2, 50_001, 50_000], 'all of them are known');
  t.strictSame(await count('one more'), [1, 50_002, 50_000]);
  t.strictSame(await count('1'), [3, 50_003, 50_000]);
  t.strictSame(await count('3'), [2, 50_004, 50_000]);
  t.strictSame(await count('2'), [1, 50_005, 50_000], 'this one was forgotten');
});

t.test('counters of one name count together in Redis', unlessInstalled('redis-server'), async (t) => {
  const server = await RedisServer.start(t);
  const one = counterOf(t, await connected(t, server));
  const two = counterOf(t, await connected(t, server));
  const other = counterOf(t, await connected(t, server), 'other');
  t.strictSame(await one.count('a'), [1, 1, 1]);
  t.strictSame(await two.count('a'), [2, 2, 1]);
  t.strictSame(await two.count('b'), [1, 3, 2]);
  t.strictSame(await other.count('a'), [1, 1, 1]);
  const { takeBack } = await one.counter.add('b');
  t.strictSame(await two.count('a'), [3, 5, 2]);
  takeBack();
  t.strictSame(await one.count('b'), [2, 5, 2]);
});

t.test('a minute is one hash in Redis, and goes by itself', unlessInstalled('redis-server'), async (t) => {
  const server = await RedisServer.start(t);
  const { clock, count, counter } = counterOf(t, await connected(t, server));
  await count('a');
  await count('b');
  const key = `count:${NUMBER}`;
  const fields = async () => ((await server.command('HGETALL', key)) as string[]).join();
  t.strictSame(await server.command('KEYS', '*'), [key]);
  t.equal(await fields(), 'a,1,:total,2,b,1');
  const isKept = async () => {
    const ttl = Number(await server.command('PTTL', key));
    t.ok(ttl > 110_000 && ttl <= 120_000, `${ttl} ms`);
  };
  await isKept();
  await server.command('PEXPIRE', key, 1000);
  const { takeBack } = await counter.add('a');
  await isKept();
  await server.command('DEL', key);
  takeBack();
  // Behind it on the same connection.
  clock.now += MINUTE_MS;
  await count('a');
  await isKept();
  t.equal(await fields(), 'a,-1,:total,-1', 'also what is taken back where Redis has lost the minute');
});

t.test('while Redis is down, this process counts', unlessInstalled('redis-server'), async (t) => {
  const server = await RedisServer.start(t);
  const redis = await connected(t, server);
  const { count, counter, failures, warnings, news } = counterOf(t, redis);
  await count('a');
  const { takeBack } = await counter.add('a');
  t.equal(await failures(), 0);
  await server.stop();
  takeBack();
  t.strictSame(await count('a'), [1, 1, 1]);
  t.strictSame(await count('a'), [2, 2, 1]);
  const local = await counter.add('b');
  local.takeBack();
  t.strictSame(await count('b'), [1, 3, 2]);
  t.equal(await failures(), 4);
  t.match(warnings(), [
    [{ use: 'quota', limit: 'user', error: { type: /\w/ } }, 'Redis unavailable: using in-process state'],
  ]);
  t.equal(warnings().length, 0, 'logged once');
  await server.start();
  if (redis.status !== 'ready') await once(redis, 'ready');
  t.strictSame(await count('a'), [1, 1, 1], 'Redis is empty');
  t.strictSame(news(), [[{ use: 'quota', limit: 'user' }, 'Redis available: using shared state']]);
  t.equal(await failures(), 4);
});

t.test('a key of another type in Redis is no count', unlessInstalled('redis-server'), async (t) => {
  const server = await RedisServer.start(t);
  const { count, warnings } = counterOf(t, await connected(t, server));
  await server.command('SET', `count:${NUMBER}`, 'text');
  t.strictSame(await count('a'), [1, 1, 1]);
  t.strictSame(await count('a'), [2, 2, 1]);
  t.match(warnings(), [[{ error: { type: 'WRONGTYPE' } }, 'Redis unavailable: using in-process state']]);
});

t.test('a reply of Redis that is no count is none', async (t) => {
  for (const reply of [
    null,
    'OK',
    7,
    {},
    [],
    [1],
    [1, 1],
    [1, 1, null],
    ['1', '1', '1'],
    [1, '1', 1],
    [1.5, 1, 1],
    [2 ** 53, 1, 1],
  ]) {
    const { count, failures } = counterOf(
      t,
      redisThat(async () => reply),
    );
    t.strictSame(await count('a'), [1, 1, 1], JSON.stringify(reply));
    t.strictSame(await count('a'), [2, 2, 1]);
    t.equal(await failures(), 2);
  }
});

t.test('what Redis fails to take back harms nobody', async (t) => {
  let left = 1;
  const redis = redisThat(async () => {
    left -= 1;
    if (left < 0) throw new Error('no Redis');
    return [7, 9, 2];
  });
  const { counter, failures } = counterOf(t, redis);
  const tally = await counter.add('a');
  t.strictSame(numbers(tally), [7, 9, 2]);
  tally.takeBack();
  await new Promise(setImmediate);
  t.equal(left, -1, 'Redis was asked');
  t.equal(await failures(), 0);
});

t.test('where Redis fails after its minute is over, the new minute counts', async (t) => {
  const answer = Promise.withResolvers<unknown>();
  const { clock, counter, count } = counterOf(
    t,
    redisThat(() => answer.promise),
  );
  const late = counter.add('a');
  clock.now += MINUTE_MS;
  answer.reject(new Error('no Redis'));
  t.strictSame(numbers(await late), [1, 1, 1]);
  t.strictSame(await count('a'), [2, 2, 1]);
});
