import { once } from 'node:events';
import { Redis } from 'ioredis';
import t from 'tap';
import type { Call } from '../../src/cometchat/call.ts';
import { failedReply } from '../../src/cometchat/errors.ts';
import { type Outcome, type QuotaReport, SUPERSEDED } from '../../src/cometchat/outcome.ts';
import { Quota } from '../../src/cometchat/quota.ts';
import { cometChatIdOf, metricOf, services, unlessInstalled } from '../helper.ts';
import { RedisServer } from '../redis-server.ts';

const MINUTE = 60_000 * 30_000_000;

const OK = { ok: true, status: 200, value: undefined } as const;

/** A quota of so many calls, at the beginning of a minute. */
function quotaOf(limit: number, redis?: Redis, clock = { now: MINUTE }) {
  const around = services(redis, { now: () => clock.now });
  const quota = new Quota(limit, around);
  /** Asks for a call that CometChat answers in this way. @returns what became of it */
  const call = (user: string, reply: () => Promise<Outcome<unknown>> = async () => OK) =>
    quota.around((() => reply()) as never)({ onBehalfOf: cometChatIdOf(user) } as Call<unknown>);
  /** The same. @returns the seconds to wait, 0 where the call was made */
  const ask = async (user: string) => {
    const outcome = await call(user);
    return outcome.ok ? 0 : outcome.retryAfterSeconds;
  };
  /** Lets CometChat say something of the quota, in the reply to a call that it does not count itself. */
  const learn = async (report: QuotaReport) => {
    await call('learner', async () => ({ ...OK, quota: report }));
  };
  /** Lets CometChat refuse a call for so many seconds. */
  const exhaust = async (seconds: number) => {
    await call('exhausted', async () => ({ ...failedReply(429, undefined), retryAfterSeconds: seconds }));
  };
  const sharesRefused = () => metricOf(around.metrics, 'quota_share_refusals_total');
  return { clock, quota, call, ask, learn, exhaust, sharesRefused };
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
  const { ask, call } = quotaOf(4);
  for (let n = 0; n < 50; n += 1) await ask('greedy');
  t.equal(await call('late', async () => SUPERSEDED), SUPERSEDED);
  t.equal(await ask('late'), 0);
  t.equal(await ask('other'), 0);
});

t.test('CometChat’s own count goes before ours', async (t) => {
  const { clock, call, ask, learn } = quotaOf(100);
  const reset = clock.now / 1000 + 30;
  await learn({ limit: 10, remaining: 2, reset });
  const answers = [Promise.withResolvers<typeof OK>(), Promise.withResolvers<typeof OK>()];
  const underWay = answers.map(({ promise }, n) => call(`user-${n}`, () => promise));
  await new Promise(setImmediate);
  t.equal(await ask('late'), 60, 'eight are spent, and two on their way');
  for (const { resolve } of answers) resolve(OK);
  t.strictSame(await Promise.all(underWay), [OK, OK], 'which were the last');
  clock.now += 30_000;
  t.equal(await ask('late'), 0, 'what it has said is no longer true');
  await learn({ limit: 100_000, remaining: 99_000, reset: clock.now / 1000 + 30 });
  for (let n = 0; n < 95; n += 1) await ask(`user-${n}`);
  t.equal(await ask('last'), 30, 'and what the operator allows is never exceeded');
});

t.test(
  'a quota that is used up, by what CometChat says, is closed until it returns, a minute at most',
  async (t) => {
    const { clock, quota, ask, learn } = quotaOf(100);
    const underWay = quotaOf(100);
    await learn({ limit: 100, remaining: 0, reset: clock.now / 1000 + 3600 });
    t.equal(quota.refusal()?.retryAfterSeconds, 60);
    t.equal(await ask('a'), 60);
    clock.now += 60_000;
    t.equal(quota.refusal(), undefined);
    await learn({ limit: 100, remaining: 0, reset: clock.now / 1000 - 1 });
    t.equal(quota.refusal(), undefined, 'a time that is over closes nothing');
    const late = Promise.withResolvers<Outcome<unknown>>();
    const second = underWay.call('late', () => late.promise);
    await underWay.learn({ limit: 100, remaining: 0, reset: clock.now / 1000 + 3600 });
    late.resolve({ ...failedReply(429, undefined), retryAfterSeconds: 5 });
    await second;
    t.equal(underWay.quota.refusal()?.retryAfterSeconds, 60, 'a shorter time does not open it sooner');
  },
);

t.test('what is given back in a later minute was not of that one', async (t) => {
  const { clock, ask, call } = quotaOf(2);
  const late = Promise.withResolvers<Outcome<unknown>>();
  const underWay = call('a', () => late.promise);
  clock.now += 60_000;
  t.equal(await ask('b'), 0);
  late.resolve(SUPERSEDED);
  await underWay;
  t.equal(await ask('c'), 0);
  t.equal(await ask('d'), 60, 'two of two are spent');
});

t.test('a time that is no time of day closes nothing for longer than a minute', async (t) => {
  for (const reset of [MINUTE, MINUTE / 1000 + 3600, 999_999_999_999_999]) {
    const { clock, ask, learn } = quotaOf(100);
    await learn({ limit: 100, remaining: 0, reset });
    t.equal(await ask('a'), 60);
    clock.now += 60_000;
    t.equal(await ask('a'), 0, String(reset));
  }
});

t.test('nor does a clock that is set back', async (t) => {
  const { clock, ask, learn, exhaust } = quotaOf(100);
  await exhaust(30);
  clock.now -= 3_600_000;
  t.equal(await ask('a'), 0);
  await learn({ limit: 100, remaining: 0, reset: clock.now / 1000 + 30 });
  clock.now -= 3_600_000;
  t.equal(await ask('a'), 0);
  await exhaust(30);
  t.equal(await ask('a'), 30, 'and what is said after that counts');
});

t.test('what CometChat says of a time far away is believed, for a minute', async (t) => {
  const { clock, ask, learn } = quotaOf(100);
  await learn({ limit: 4, remaining: 1, reset: clock.now / 1000 + 3600 });
  const three = async () => [await ask('a'), await ask('a'), await ask('a')];
  t.strictSame(await three(), [0, 0, 60], 'a third of four, and no more');
  clock.now += 60_000;
  t.strictSame(await three(), [0, 0, 0]);
});

t.test('a call that ended in a defect of ours is not on its way any more', async (t) => {
  const { clock, call, ask, learn } = quotaOf(100);
  await t.rejects(
    call('a', () => Promise.reject(new TypeError('a defect'))),
    TypeError,
  );
  await learn({ limit: 10, remaining: 1, reset: clock.now / 1000 + 30 });
  t.equal(await ask('b'), 0, 'the one that is left');
});

t.test('what is left is the limit, until something is known of the minute', async (t) => {
  const { clock, quota, ask, exhaust } = quotaOf(10);
  t.equal(quota.callsLeft, 10);
  await ask('a');
  t.equal(quota.callsLeft, 9);
  clock.now += 60_000;
  t.equal(quota.callsLeft, 10);
  await exhaust(5);
  t.equal(quota.callsLeft, 0);
});

t.test('replicas that share a Redis share the quota', unlessInstalled('redis-server'), async (t) => {
  const server = await RedisServer.start(t);
  const clock = { now: MINUTE };
  const quotas: ReturnType<typeof quotaOf>[] = [];
  for (const _ of [1, 2]) {
    const redis = new Redis(server.url);
    t.teardown(() => redis.disconnect());
    await once(redis, 'ready');
    quotas.push(quotaOf(12, redis, clock));
  }
  let turn = 0;
  const ask = (user: string) => {
    turn += 1;
    return quotas[turn % 2]?.ask(user);
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
