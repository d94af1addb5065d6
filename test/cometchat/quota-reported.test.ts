import t from 'tap';
import { failedReply } from '../../src/cometchat/errors.ts';
import type { Outcome } from '../../src/cometchat/outcome.ts';
import { readQuota } from '../../src/cometchat/reply.ts';
import { startGateway } from '../helpers/gateway.ts';
import { redisTest } from '../helpers/redis.ts';
import { MINUTE, OK, quotaOf } from './quota-of.ts';

t.test('a report of which anything is missing or no number says nothing', async (t) => {
  const good = { 'x-rate-limit': '500', 'x-rate-limit-remaining': '7', 'x-rate-limit-reset': '1800000000' };
  t.strictSame(readQuota(good), { limit: 500, remaining: 7, reset: 1_800_000_000 });
  for (const name of Object.keys(good)) {
    for (const value of [undefined, '', '-1', '1e3', 'soon', '9'.repeat(16)]) {
      t.equal(readQuota({ ...good, [name]: value }), undefined, `${name}: ${value}`);
    }
  }
  t.equal(readQuota({ ...good, 'x-rate-limit': '0' }), undefined, 'no app has a quota of nothing');
});

t.test('CometChat’s own count goes before the gateway’s', async (t) => {
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

t.test('a quota that CometChat says is used up is closed until it is whole, a minute at most', async (t) => {
  const { clock, quota, ask, learn } = quotaOf(100);
  await learn({ limit: 100, remaining: 0, reset: clock.now / 1000 + 3600 });
  t.equal(quota.refusal()?.retryAfterSeconds, 60);
  t.equal(await ask('a'), 60);
  clock.now += 60_000;
  t.equal(quota.refusal(), undefined);
  await learn({ limit: 100, remaining: 0, reset: clock.now / 1000 - 1 });
  t.equal(quota.refusal(), undefined, 'a time that is over closes nothing');
});

t.test('a closed quota is not opened sooner by a shorter time', async (t) => {
  const { clock, quota, call, learn } = quotaOf(100);
  const late = Promise.withResolvers<Outcome<unknown>>();
  const underWay = call('late', () => late.promise);
  await learn({ limit: 100, remaining: 0, reset: clock.now / 1000 + 3600 });
  late.resolve({ ...failedReply(429, undefined), retryAfterSeconds: 5 });
  await underWay;
  t.equal(quota.refusal()?.retryAfterSeconds, 60);
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

t.test('a clock that is set back does not keep the quota closed', async (t) => {
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

t.test('what CometChat says of a time far away is believed for a minute', async (t) => {
  const { clock, ask, learn } = quotaOf(100);
  await learn({ limit: 4, remaining: 1, reset: clock.now / 1000 + 3600 });
  const three = async () => [await ask('a'), await ask('a'), await ask('a')];
  t.strictSame(await three(), [0, 60, 60], 'the one that is left');
  clock.now += 60_000;
  t.strictSame(await three(), [0, 0, 0]);
});

t.test('a call that ended in a defect of the gateway is not on its way any more', async (t) => {
  const { clock, call, ask, learn } = quotaOf(100);
  await t.rejects(
    call('a', () => Promise.reject(new TypeError('a defect'))),
    TypeError,
  );
  await learn({ limit: 10, remaining: 1, reset: clock.now / 1000 + 30 });
  t.equal(await ask('b'), 0, 'the one that is left');
});

const refusedByCometChat = (retryAfter: number) => ({
  answer: [503, 'cometchat-busy'] as const,
  retryAfter,
  calls: 1,
  line: { level: 'warn', cometchat: { status: 429 }, error: { type: '429' } },
  moved: { 'problems cometchat-busy': 1, 'attempts cometchat-busy': 1 },
});
const refusedHere = (retryAfter: number) => ({ retryAfter, line: { cometchat: undefined } });

t.test('after a 429 no call is made until its time is over, and a minute at most', async (t) => {
  let now = Date.now();
  const { meets, refused, served, sandbox, setTags } = await startGateway(
    t,
    {},
    { seams: { now: () => now } },
  );
  sandbox.fault({ status: 429, headers: { 'retry-after': '30' } });
  await meets(t, refusedByCometChat(30));
  await refused(t, setTags, 503, 'cometchat-busy', refusedHere(30));
  now += 29_500;
  await refused(t, setTags, 503, 'cometchat-busy', refusedHere(1));
  now += 500;
  await served(t);

  sandbox.fault({ status: 429, headers: { 'retry-after': '9999' } });
  await meets(t, refusedByCometChat(3600));
  await refused(t, setTags, 503, 'cometchat-busy', refusedHere(60));
  now += 60_000;
  await served(t);
});

for (const spelling of ['x-rate-limit', 'x-ratelimit'] as const) {
  t.test(`no call is made when the last one has brought ${spelling}-remaining: 0`, async (t) => {
    const now = Math.ceil(Date.now() / 1000) * 1000;
    t.intercept(Date, 'now', { value: () => now });
    const sandbox = { spelling, callsPerMinute: 2 };
    const { refused, served, putAs } = await startGateway(t, {}, { sandbox });
    for (const user of ['cometchat-uid-1', 'cometchat-uid-2']) await served(t, () => putAs(user));
    await refused(t, () => putAs('cometchat-uid-4'), 503, 'cometchat-busy', refusedHere(60));
  });
}

redisTest('what CometChat tells one replica of the quota holds for all', async (t, redis) => {
  const env = { REDIS_URL: redis.url };
  const [one, two] = [await startGateway(t, env), await startGateway(t, env)];
  one.sandbox.fault({ status: 429, headers: { 'retry-after': '30' } });
  await one.meets(t, refusedByCometChat(30));
  const answer = await two.setTags();
  t.equal(answer.json.code, 'cometchat-busy');
  const seconds = Number(answer.headers.get('retry-after'));
  t.ok(seconds > 20 && seconds <= 30, 'by the clock of Redis');
  t.equal(two.sandbox.received, 0);
});

redisTest(
  'where Redis takes no writes, a replica remembers by itself that the quota is used up',
  async (t, redis) => {
    const { meets, refused, sandbox, setTags } = await startGateway(t, { REDIS_URL: redis.url });
    await redis.command('CONFIG', 'SET', 'maxmemory', 1);
    sandbox.fault({ status: 429, headers: { 'retry-after': '30' } });
    const { moved, ...expected } = refusedByCometChat(30);
    const inVain = {
      'redis_failures rate_limit': 1,
      'redis_failures quota': 1,
      'redis_failures write_order': 1,
    };
    await meets(t, { ...expected, moved: { ...moved, ...inVain } });
    await refused(t, setTags, 503, 'cometchat-busy', {
      ...refusedHere(30),
      moved: { 'redis_failures rate_limit': 1 },
    });
  },
);
