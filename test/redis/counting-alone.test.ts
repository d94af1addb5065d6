import type { Redis } from 'ioredis';
import t from 'tap';
import { MINUTE_MS } from '../../src/redis/minute-counter.ts';
import { redisTest } from '../helpers/redis.ts';
import { until } from '../helpers/until.ts';
import { connected, counterOf, NUMBER, numbers } from './counter-of.ts';

/** A Redis that answers every script in this way. */
const redisThat = (reply: () => Promise<unknown>) => ({ eval: reply }) as unknown as Redis;

redisTest('while Redis is down, this process counts', async (t, server) => {
  const redis = await connected(t, server);
  const { count, counter, failures, warnings, news } = counterOf(t, redis);
  await count('a');
  const { takeBack } = await counter.add('a');
  t.equal(await failures(), 0);
  await server.stop();
  takeBack();
  t.strictSame(await count('a'), [1, 1]);
  t.strictSame(await count('a'), [2, 2]);
  const local = await counter.add('b');
  local.takeBack();
  t.strictSame(await count('b'), [1, 3]);
  t.equal(await failures(), 4);
  t.match(warnings(), [
    [{ use: 'quota', limit: 'user', error: { type: /\w/ } }, 'Redis unavailable: using in-process state'],
  ]);
  t.equal(warnings().length, 0, 'logged once');
  await server.start();
  await until('the connection', () => redis.status === 'ready');
  t.strictSame(await count('a'), [1, 1], 'Redis is empty');
  const told: unknown[] = [];
  await until('a second without a failure', async () => {
    await count('b');
    told.push(...news());
    return told.length > 0;
  });
  t.strictSame(told, [[{ use: 'quota', limit: 'user' }, 'Redis available: using shared state']]);
  t.equal(await failures(), 4);
});

redisTest('a key of another type in Redis is no count', async (t, server) => {
  const { count, warnings } = counterOf(t, await connected(t, server));
  await server.command('SET', `count:${NUMBER}`, 'text');
  t.strictSame(await count('a'), [1, 1]);
  t.strictSame(await count('a'), [2, 2]);
  t.match(warnings(), [[{ error: { type: 'WRONGTYPE' } }, 'Redis unavailable: using in-process state']]);
});

t.test('a reply of Redis that is no count is none', async (t) => {
  for (const reply of [null, 'OK', 7, {}, [], [1], [1, null], ['1', '1'], [1, '1'], [1.5, 1], [2 ** 53, 1]]) {
    const { count, failures } = counterOf(
      t,
      redisThat(async () => reply),
    );
    t.strictSame(await count('a'), [1, 1], JSON.stringify(reply));
    t.strictSame(await count('a'), [2, 2]);
    t.equal(await failures(), 2);
  }
});

t.test('what Redis fails to take back harms nobody', async (t) => {
  let left = 1;
  const redis = redisThat(async () => {
    left -= 1;
    if (left < 0) throw new Error('no Redis');
    return [7, 9];
  });
  const { counter, failures } = counterOf(t, redis);
  const tally = await counter.add('a');
  t.strictSame(numbers(tally), [7, 9]);
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
  t.strictSame(numbers(await late), [1, 1]);
  t.strictSame(await count('a'), [2, 2]);
});
