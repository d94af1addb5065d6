import { once } from 'node:events';
import { Redis } from 'ioredis';
import t from 'tap';
import type { Failure } from '../../src/cometchat/call.ts';
import { Quota } from '../../src/cometchat/quota.ts';
import { edges, unlessInstalled } from '../helper.ts';
import { RedisServer } from '../redis-server.ts';

const MINUTE = 60_000 * 30_000_000;

/** A quota of so many calls, at the beginning of a minute; `ask` gives the seconds to wait, 0 where there are none. */
function quotaOf(limit: number) {
  const clock = { now: MINUTE };
  const edge = edges();
  const quota = new Quota(limit, () => clock.now, edge);
  const ask = async (user: string, inFlight = 0) => {
    const taken = await quota.take(user, inFlight);
    return typeof taken === 'function' ? 0 : (taken as Failure).retryAfterSeconds;
  };
  const sharesRefused = async () => (await edge.metrics.quotaShareRefusals.get()).values[0]?.value;
  return { clock, quota, ask, sharesRefused };
}

t.test('when it is gone everybody is told when it returns', async (t) => {
  const { clock, ask } = quotaOf(3);
  for (const user of ['a', 'b', 'c']) t.equal(await ask(user), 0);
  clock.now += 20_000;
  t.equal(await ask('d'), 40);
  clock.now += 40_000;
  t.equal(await ask('d'), 0);
});

t.test('nobody takes more than a fair share while there is one to be kept for others', async (t) => {
  const { clock, ask, sharesRefused } = quotaOf(12);
  const taken: Record<string, number> = { greedy: 0, late: 0 };
  const drain = async (user: string) => {
    while ((await ask(user)) === 0) taken[user] = (taken[user] ?? 0) + 1;
  };
  await drain('greedy');
  t.equal(taken.greedy, 6, 'half of it, for one may come');
  await drain('late');
  t.equal(taken.late, 4, 'a third, for another may come');
  t.equal(await ask('greedy'), 55, 'and more when the minute has gone as far');
  t.equal(await sharesRefused(), 3, 'which is counted apart from a quota that is gone');
  clock.now += 55_000;
  t.equal(await ask('greedy'), 0);
  t.equal(await ask('newcomer'), 0, 'the share that was kept');
  t.equal(await ask('newcomer'), 5, 'and that was all');
  t.equal(await sharesRefused(), 3);
});

t.test('what is refused, or not made after all, is not spent', async (t) => {
  const { ask, quota } = quotaOf(4);
  for (let n = 0; n < 50; n += 1) await ask('greedy');
  const taken = await quota.take('late', 0);
  if (typeof taken === 'function') taken();
  t.equal(await ask('late'), 0);
  t.equal(await ask('other'), 0);
});

t.test('CometChat’s own count goes before ours', async (t) => {
  const { clock, quota, ask } = quotaOf(100);
  const reset = clock.now / 1000 + 30;
  quota.learn({ limit: 10, remaining: 2, reset });
  t.equal(await ask('a', 1), 0, 'nine are spent, one of them still on its way');
  t.equal(await ask('b', 2), 60, 'ten are, with two on their way');
  clock.now += 30_000;
  t.equal(await ask('b', 2), 0, 'what it has said is no longer true');
  quota.learn({ limit: 100_000, remaining: 99_000, reset: clock.now / 1000 + 30 });
  for (let n = 0; n < 97; n += 1) await ask(`user-${n}`);
  t.equal(await ask('last'), 0);
  t.equal(await ask('more'), 30, 'and what the operator allows is never exceeded');
});

t.test(
  'a quota that is used up, by what CometChat says, is closed until it returns, a minute at most',
  async (t) => {
    const { clock, quota, ask } = quotaOf(100);
    quota.learn({ limit: 100, remaining: 0, reset: clock.now / 1000 + 3600 });
    t.equal(quota.refusal()?.retryAfterSeconds, 60);
    quota.exhausted(5);
    t.equal(await ask('a'), 60, 'a shorter time does not open it sooner');
    clock.now += 60_000;
    t.equal(quota.refusal(), undefined);
    quota.learn({ limit: 100, remaining: 0, reset: clock.now / 1000 - 1 });
    t.equal(quota.refusal(), undefined, 'a time that is over closes nothing');
  },
);

t.test('what is given back in a later minute was not of that one', async (t) => {
  const { clock, quota, ask } = quotaOf(2);
  const taken = await quota.take('a', 0);
  clock.now += 60_000;
  t.equal(await ask('b'), 0);
  if (typeof taken === 'function') taken();
  t.equal(await ask('c'), 0);
  t.equal(await ask('d'), 60, 'two of two are spent');
});

t.test('a time that is no time of day closes nothing for longer than a minute', async (t) => {
  for (const reset of [MINUTE, MINUTE / 1000 + 3600, 999_999_999_999_999]) {
    const { clock, quota, ask } = quotaOf(100);
    quota.learn({ limit: 100, remaining: 0, reset });
    t.equal(await ask('a'), 60);
    clock.now += 60_000;
    t.equal(await ask('a'), 0, String(reset));
  }
});

t.test('nor does a clock that is set back', async (t) => {
  const { clock, quota, ask } = quotaOf(100);
  quota.exhausted(30);
  quota.learn({ limit: 100, remaining: 0, reset: clock.now / 1000 + 30 });
  clock.now -= 3_600_000;
  t.equal(await ask('a'), 0);
  quota.exhausted(30);
  t.equal(await ask('a'), 30, 'and what is said after that counts');
});

t.test('replicas that share a Redis share the quota', unlessInstalled('redis-server'), async (t) => {
  const server = await RedisServer.start(t);
  const clock = { now: MINUTE };
  const quotas: Quota[] = [];
  for (const _ of [1, 2]) {
    const redis = new Redis(server.url);
    t.teardown(() => redis.disconnect());
    await once(redis, 'ready');
    quotas.push(new Quota(12, () => clock.now, edges(redis)));
  }
  let turn = 0;
  const ask = async (user: string) => {
    turn += 1;
    const taken = await (quotas[turn % 2] as Quota).take(user, 0);
    return typeof taken === 'function' ? 0 : taken.retryAfterSeconds;
  };
  const drain = async (user: string) => {
    let taken = 0;
    while ((await ask(user)) === 0) taken += 1;
    return taken;
  };
  t.equal(await drain('greedy'), 6);
  t.equal(await drain('late'), 4);
  t.equal(await ask('greedy'), 55);
  clock.now += 55_000;
  t.equal(await ask('greedy'), 0);
  t.equal(await ask('newcomer'), 0);
  t.equal(await ask('newcomer'), 5);
  clock.now += 5000;
  t.equal(await ask('greedy'), 0, 'a minute later it is whole again');
  for (const key of (await server.command('KEYS', 'quota:*')) as string[]) {
    const ttl = Number(await server.command('PTTL', key));
    t.ok(ttl > 60_000 && ttl <= 120_000, `${key} goes by itself`);
  }
});
