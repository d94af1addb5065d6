import t from 'tap';
import type { Name } from '../../sandbox/catalogue.ts';
import { type Clock, MACHINE_CLOCK } from '../../src/base/clock.ts';
import { rateLimitSeconds, retryAfterSeconds } from '../../src/cometchat/reply.ts';
import { startGateway } from '../helpers/gateway.ts';

const NOW = 1_800_000_000;
const httpDate = (seconds: number) => new Date(seconds * 1000).toUTCString();

t.test(
  'a 429 says how long to wait by Retry-After, else by the reset of either spelling, else it is a minute',
  async (t) => {
    const cases: [Record<string, string>, number][] = [
      [{ 'retry-after': '5' }, 5],
      [{ 'retry-after': httpDate(NOW + 30) }, 30],
      [{ 'retry-after': '0' }, 1],
      [{ 'retry-after': httpDate(NOW - 30) }, 1],
      [{ 'retry-after': '999999999999' }, 3600],
      [{ 'retry-after': '9'.repeat(400) }, 3600],
      [{ 'retry-after': '-1' }, 60],
      [{ 'retry-after': '1.5' }, 60],
      [{ 'retry-after': '5, 6' }, 60],
      [{ 'retry-after': 'soon' }, 60],
      [{ 'retry-after': 'Soon' }, 60],
      [{ 'retry-after': '' }, 60],
      [{ 'x-rate-limit-reset': String(NOW + 17) }, 17],
      [{ 'x-ratelimit-reset': String(NOW + 18) }, 18],
      [{ 'x-ratelimit-reset': 'soon' }, 60],
      [{ 'retry-after': 'soon', 'x-rate-limit-reset': String(NOW + 19) }, 19],
      [{}, 60],
    ];
    for (const [headers, seconds] of cases) {
      t.equal(rateLimitSeconds(headers, NOW), seconds, JSON.stringify(headers).slice(0, 60));
    }
  },
);

t.test('any other reply says it by Retry-After alone', async (t) => {
  t.equal(retryAfterSeconds({ 'retry-after': '7' }, NOW), 7);
  t.equal(
    retryAfterSeconds({ 'retry-after': 'soon', 'x-rate-limit-reset': String(NOW + 9) }, NOW),
    undefined,
  );
});

t.test('however CometChat says how long to wait, clients are told, between 1 s and 1 h', async (t) => {
  const cases: [Name, retryAfter: number][] = [
    ['rate-limited-seconds', 2],
    ['rate-limited-date', 3],
    ['rate-limited-reset-x-rate-limit', 3],
    ['rate-limited-reset-x-ratelimit', 3],
    ['rate-limited-zero', 1],
    ['rate-limited-negative', 60],
    ['rate-limited-huge', 3600],
    ['rate-limited-garbage', 60],
  ];
  const today = Math.ceil(Date.now() / 1000) * 1000;
  t.intercept(Date, 'now', { value: () => today });
  let now = today;
  // No wait that CometChat asks for fits into the deadline.
  const env = { COMETCHAT_DEADLINE_MS: '900' };
  const { meets, sandbox } = await startGateway(t, env, { seams: { now: () => now } });
  for (const [name, retryAfter] of cases) {
    t.comment(name);
    sandbox.play(name);
    await meets(t, {
      answer: [503, 'cometchat-busy'],
      retryAfter,
      calls: 1,
      line: { level: 'warn', cometchat: { status: 429 }, error: { type: 'ERR_TOO_MANY_REQUESTS' } },
      moved: { 'problems cometchat-busy': 1, 'attempts cometchat-busy': 1 },
    });
    // The quota is closed for so long.
    now += 60_000;
  }
});

t.test('a wait that fits into the deadline is waited out', async (t) => {
  let now = Date.now();
  const waits: number[] = [];
  const wait: Clock['wait'] = async (ms) => {
    waits.push(ms);
    now += ms;
  };
  const { meets, sandbox } = await startGateway(
    t,
    {},
    { seams: { now: () => now, clock: { ...MACHINE_CLOCK, wait } } },
  );
  sandbox.play('rate-limited-seconds');
  await meets(t, {
    answer: 200,
    calls: 2,
    line: { level: 'info', status: 200, retried: ['ERR_TOO_MANY_REQUESTS'] },
    moved: { 'attempts cometchat-busy': 1, 'attempts ok': 1, retries: 1 },
  });
  t.strictSame(waits, [2002], 'two seconds, and what is left to chance');
});

t.test('a wait that does not is passed on to the client at once', async (t) => {
  const { meets, sandbox } = await startGateway(t);
  sandbox.fault({ status: 503, headers: { 'retry-after': '20' } });
  await meets(t, {
    answer: [502, 'cometchat-failed'],
    retryAfter: 20,
    calls: 1,
    line: { level: 'warn', error: { type: '503' }, retried: undefined },
    moved: { 'problems cometchat-failed': 1, 'attempts cometchat-failed': 1 },
  });
});
