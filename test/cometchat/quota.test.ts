import t from 'tap';
import { type Outcome, SUPERSEDED, TURN_LOST } from '../../src/cometchat/outcome.ts';
import { waitForShare } from '../../src/cometchat/quota.ts';
import { startGateway } from '../helpers/gateway.ts';
import { redisTest } from '../helpers/redis.ts';
import { until } from '../helpers/until.ts';
import { MINUTE, quotaOf } from './quota-of.ts';

t.test('a user may have the square of the part that is left, and one call always', async (t) => {
  t.equal(waitForShare({ limit: 100, spent: 37, mine: 37, elapsedMs: 0 }), 0, '38 of 100, and 62 are left');
  t.not(waitForShare({ limit: 100, spent: 38, mine: 38, elapsedMs: 0 }), 0, '39, and 61');
  t.equal(waitForShare({ limit: 100, spent: 49, mine: 24, elapsedMs: 0 }), 0, 'a quarter of half of it');
  t.not(waitForShare({ limit: 100, spent: 49, mine: 25, elapsedMs: 0 }), 0);
  t.equal(waitForShare({ limit: 100, spent: 99, mine: 0, elapsedMs: 0 }), 0, 'the last one');
  t.equal(waitForShare({ limit: 1, spent: 0, mine: 0, elapsedMs: 0 }), 0);
});

t.test('a user who has had a share waits until the minute has gone as far as the quota', async (t) => {
  t.equal(waitForShare({ limit: 100, spent: 50, mine: 50, elapsedMs: 15_000 }), 15_600);
  t.equal(waitForShare({ limit: 100, spent: 50, mine: 50, elapsedMs: 30_600 }), 0);
});

t.test('a single user gets the whole quota in time', async (t) => {
  let spent = 0;
  for (let second = 0; second < 60; second += 1) {
    while (waitForShare({ limit: 30, spent, mine: spent, elapsedMs: second * 1000 }) === 0) spent += 1;
    t.ok(spent < 30 || second > 55, 'and leaves something to others until the end');
  }
  t.equal(spent, 29);
});

t.test('when the quota is used up everybody waits for the next minute', async (t) => {
  t.equal(waitForShare({ limit: 10, spent: 10, mine: 0, elapsedMs: 45_000 }), 15_000);
  t.equal(waitForShare({ limit: 10, spent: 12, mine: 0, elapsedMs: 0 }), 60_000);
  const { clock, ask } = quotaOf(3);
  for (const user of ['a', 'b', 'c']) t.equal(await ask(user), 0);
  clock.now += 20_000;
  t.equal(await ask('d'), 40);
  clock.now += 40_000;
  t.equal(await ask('d'), 0);
});

t.test('nobody takes more than a fair share while one must be kept for others', async (t) => {
  const { ask, sharesRefused } = quotaOf(12);
  const taken: Record<string, number> = { greedy: 0, late: 0 };
  const drain = async (user: string) => {
    while ((await ask(user)) === 0) taken[user] = (taken[user] ?? 0) + 1;
  };
  await drain('greedy');
  t.equal(taken.greedy, 4, 'a third: two thirds are left, and their square is more');
  await drain('late');
  t.equal(taken.late, 2, 'a sixth: half is left, and its square is a quarter');
  t.equal(await ask('greedy'), 35, 'and more when the minute has gone as far');
  t.equal(await sharesRefused(), 3, 'which is counted apart from a quota that is used up');
  for (const user of ['a', 'b', 'c', 'd', 'e', 'f']) t.equal(await ask(user), 0, 'what was left for others');
  t.equal(await ask('g'), 60, 'and that was all');
  t.equal(await sharesRefused(), 3);
});

t.test('a call that is refused, or not made after all, is not counted', async (t) => {
  const { ask, call } = quotaOf(4);
  for (let n = 0; n < 50; n += 1) await ask('greedy');
  t.equal(await call('late', async () => SUPERSEDED), SUPERSEDED);
  t.equal(await ask('late'), 0);
  t.equal(await ask('other'), 0);
});

t.test('a write that gets no turn is not counted, whatever is left of the quota', async (t) => {
  const { ask, call, sharesRefused } = quotaOf(2);
  const late = () => call('a', undefined, async () => SUPERSEDED);
  for (const _ of [1, 2, 3]) t.equal(await late(), SUPERSEDED);
  for (const user of ['a', 'b']) t.equal(await ask(user), 0);
  t.equal(await late(), SUPERSEDED);
  t.equal(await sharesRefused(), 0);
});

t.test('a write whose turn comes in a later minute is counted in that one', async (t) => {
  const { clock, ask, call } = quotaOf(2);
  const turn = Promise.withResolvers<undefined>();
  const waiting = call('a', undefined, () => turn.promise);
  t.equal(await ask('a'), 60, 'it counts while it waits, and one is kept for others');
  clock.now += 60_000;
  turn.resolve(undefined);
  t.equal(await waiting, TURN_LOST, 'both are asked for again');
  for (const user of ['a', 'b']) t.equal(await ask(user), 0, 'and nothing is counted so far');
});

t.test('a call that was counted in one minute is not given back to a later one', async (t) => {
  const { clock, ask, call } = quotaOf(2);
  const sent = Promise.withResolvers<void>();
  const late = Promise.withResolvers<Outcome<unknown>>();
  const underWay = call('a', () => {
    sent.resolve();
    return late.promise;
  });
  await sent.promise;
  clock.now += 60_000;
  t.equal(await ask('b'), 0);
  late.resolve(SUPERSEDED);
  await underWay;
  t.equal(await ask('c'), 0);
  t.equal(await ask('d'), 60, 'two of two are spent');
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

redisTest('a write that gets no quota leaves its turn to other replicas', async (t, server) => {
  const { setTags, served } = await startGateway(t, {
    REDIS_URL: server.url,
    COMETCHAT_CALLS_PER_MINUTE: '1',
  });
  const isFree = () =>
    until('a free lane', async () => ((await server.command('KEYS', '*:lease')) as []).length === 0, 1);
  await served(t);
  await isFree();
  t.equal((await setTags()).json.code, 'cometchat-busy');
  await isFree();
});

redisTest('replicas that share a Redis share the quota', async (t, server) => {
  const clock = { now: MINUTE };
  const quotas: ReturnType<typeof quotaOf>[] = [];
  for (const _ of [1, 2]) {
    quotas.push(quotaOf(12, await server.client(t), clock));
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
  t.equal(await drain('greedy'), 4);
  t.equal(await drain('late'), 2);
  t.equal(await ask('greedy'), 35);
  clock.now += 35_000;
  t.equal(await ask('greedy'), 0);
  t.equal(await ask('newcomer'), 0);
  t.equal(await ask('newcomer'), 10);
  clock.now += 25_000;
  t.equal(await ask('greedy'), 0, 'a minute later it is whole again');
  for (const key of (await server.command('KEYS', 'quota:*')) as string[]) {
    const ttl = Number(await server.command('PTTL', key));
    t.ok(ttl > 60_000 && ttl <= 120_000, `${key} expires by itself`);
  }
});
