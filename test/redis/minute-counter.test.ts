import t, { type Test } from 'tap';
import { MINUTE_MS, minuteAt } from '../../src/redis/minute-counter.ts';
import { type RedisServer, redisTest, withAndWithoutRedis } from '../helpers/redis.ts';
import { connected, counterOf, NUMBER } from './counter-of.ts';

t.test('the minute of a moment, and what is left of it: never no second, nor more than 60', async (t) => {
  t.strictSame(minuteAt(0), { number: 0, elapsedMs: 0, secondsLeft: 60 });
  t.strictSame(minuteAt(1), { number: 0, elapsedMs: 1, secondsLeft: 60 });
  t.strictSame(minuteAt(59_000), { number: 0, elapsedMs: 59_000, secondsLeft: 1 });
  t.strictSame(minuteAt(59_999), { number: 0, elapsedMs: 59_999, secondsLeft: 1 });
  t.strictSame(minuteAt(60_000), { number: 1, elapsedMs: 0, secondsLeft: 60 });
});

const redisOf = async (t: Test, server: RedisServer | undefined) => server && connected(t, server);

withAndWithoutRedis('each key has a count of its own, and all have a total', async (t, server) => {
  const { count } = counterOf(t, await redisOf(t, server));
  t.strictSame(await count('a'), [1, 1]);
  t.strictSame(await count('a'), [2, 2]);
  t.strictSame(await count('b'), [1, 3]);
  t.strictSame(await count('a'), [3, 4]);
});

withAndWithoutRedis('what comes at once is counted one by one', async (t, server) => {
  const { count } = counterOf(t, await redisOf(t, server));
  const tallies = await Promise.all(Array.from({ length: 20 }, () => count('a')));
  t.strictSame(
    tallies,
    Array.from({ length: 20 }, (_, n) => [n + 1, n + 1]),
  );
});

withAndWithoutRedis('what is taken back is not counted', async (t, server) => {
  const { count, counter } = counterOf(t, await redisOf(t, server));
  await count('a');
  const { takeBack } = await counter.add('b');
  takeBack();
  t.strictSame(await count('a'), [2, 2]);
  t.strictSame(await count('b'), [1, 3]);
});

withAndWithoutRedis('every minute counts by itself', async (t, server) => {
  const { clock, count } = counterOf(t, await redisOf(t, server));
  await count('a');
  clock.now += 59_999;
  t.strictSame(await count('a'), [2, 2]);
  clock.now += 1;
  t.strictSame(await count('a'), [1, 1]);
});

withAndWithoutRedis('what is taken back in a later minute was not of that one', async (t, server) => {
  const { clock, count, counter } = counterOf(t, await redisOf(t, server));
  const { takeBack } = await counter.add('a');
  clock.now += MINUTE_MS;
  await count('a');
  takeBack();
  t.strictSame(await count('a'), [2, 2]);
});

withAndWithoutRedis('a clock that is set back counts from 0 in its new minute', async (t, server) => {
  const { clock, count } = counterOf(t, await redisOf(t, server));
  for (const jump of [0, -3600_000, 7200_000, -86_400_000]) {
    clock.now += jump;
    t.strictSame(await count('a'), [1, 1], `a jump of ${jump} ms`);
    t.strictSame(await count('a'), [2, 2]);
  }
});

t.test('this process knows 50,000 keys, and forgets the one that was not used for longest', async (t) => {
  const { counter, count } = counterOf(t);
  for (let n = 1; n <= 50_000; n += 1) await counter.add(`${n}`);
  t.strictSame(await count('1'), [2, 50_001], 'all of them are known');
  t.strictSame(await count('one more'), [1, 50_002]);
  t.strictSame(await count('1'), [3, 50_003]);
  t.strictSame(await count('3'), [2, 50_004]);
  t.strictSame(await count('2'), [1, 50_005], 'this one was forgotten');
});

redisTest('counters of one name count together in Redis', async (t, server) => {
  const one = counterOf(t, await connected(t, server));
  const two = counterOf(t, await connected(t, server));
  const other = counterOf(t, await connected(t, server), 'other');
  t.strictSame(await one.count('a'), [1, 1]);
  t.strictSame(await two.count('a'), [2, 2]);
  t.strictSame(await two.count('b'), [1, 3]);
  t.strictSame(await other.count('a'), [1, 1]);
  const { takeBack } = await one.counter.add('b');
  t.strictSame(await two.count('a'), [3, 5]);
  takeBack();
  t.strictSame(await one.count('b'), [2, 5]);
});

redisTest('a minute is one hash in Redis, and goes by itself', async (t, server) => {
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
