import t from 'tap';
import type { Name } from '../../sandbox/catalogue.ts';
import { unlessInstalled } from '../helper.ts';
import { RedisServer } from '../redis-server.ts';
import { upstream } from './upstream.ts';

const refusedByCometChat = (retryAfter: number) => ({
  answer: [503, 'cometchat-busy'] as const,
  retryAfter,
  calls: 1,
  line: { level: 'warn', cometchat: { status: 429 }, error: { type: 'ERR_TOO_MANY_REQUESTS' } },
  moved: { 'problems cometchat-busy': 1, 'attempts cometchat-busy': 1 },
});
const refusedHere = (retryAfter: number) => ({
  answer: [503, 'cometchat-busy'] as const,
  retryAfter,
  calls: 0,
  line: { level: 'warn', cometchat: undefined, error: { type: 'cometchat-busy' } },
  moved: { 'problems cometchat-busy': 1 },
});
const SERVED = { answer: 200 as const, calls: 1, line: {}, moved: { 'attempts ok': 1 } };
/** No wait that CometChat asks for fits into this. */
const SHORT = { COMETCHAT_DEADLINE_MS: '900' };

t.test('21: however CometChat says how long to wait, clients are told, between 1 s and 1 h', async (t) => {
  const cases: [Name, retryAfter: number][] = [
    ['21-429-zero', 1],
    ['21-429-negative', 60],
    ['21-429-huge', 3600],
    ['21-429-garbage', 60],
  ];
  for (const [name, retryAfter] of cases) {
    const { meets, sandbox } = await upstream(t, SHORT);
    sandbox.play(name);
    t.comment(name);
    await meets(t, refusedByCometChat(retryAfter));
  }
  // Times of day: how many seconds are left depends on when in the second the test runs.
  for (const name of [
    '21-429-seconds',
    '21-429-date',
    '21-429-reset-x-rate-limit',
    '21-429-reset-x-ratelimit',
  ] as const) {
    const { sandbox, setTags } = await upstream(t, SHORT);
    sandbox.play(name);
    const answer = await setTags();
    t.equal(answer.json.code, 'cometchat-busy');
    t.match(answer.headers.get('retry-after'), /^[2-5]$/, name);
  }
});

t.test('21: a wait that fits into the deadline is waited out, and no longer', async (t) => {
  const { meets, sandbox } = await upstream(t, {}, { seams: { now: Date.now } });
  sandbox.play('21-429-zero');
  const start = performance.now();
  await meets(t, {
    answer: 200,
    calls: 2,
    line: { level: 'info', status: 200, retried: ['ERR_TOO_MANY_REQUESTS'] },
    moved: { 'attempts cometchat-busy': 1, 'attempts ok': 1, retries: 1 },
  });
  t.ok(performance.now() - start >= 1000, 'a second at least');
});

t.test('21: in a storm of them nothing more is burnt until the time is over', async (t) => {
  let now = Date.now();
  const { meets, sandbox } = await upstream(t, SHORT, { seams: { now: () => now } });
  sandbox.fault({ status: 429, headers: { 'retry-after': '30' } });
  await meets(t, { ...refusedByCometChat(30), line: { error: { type: '429' } } });
  await meets(t, refusedHere(30));
  now += 29_500;
  await meets(t, refusedHere(1));
  now += 500;
  await meets(t, SERVED);
});

t.test('21: however long CometChat says, it is asked again after a minute', async (t) => {
  let now = Date.now();
  const { meets, sandbox } = await upstream(t, SHORT, { seams: { now: () => now } });
  sandbox.play('21-429-huge');
  await meets(t, refusedByCometChat(3600));
  await meets(t, refusedHere(60));
  now += 60_000;
  await meets(t, SERVED);
});

t.test(
  '21: the quota is not overdrawn when CometChat says that it is used up, in either spelling',
  async (t) => {
    for (const spelling of ['x-rate-limit', 'x-ratelimit'] as const) {
      const sandbox = { spelling, callsPerMinute: 2 };
      const now = Date.now();
      const { meets, putAs } = await upstream(t, SHORT, { sandbox, seams: { now: () => now } });
      for (const user of ['cometchat-uid-1', 'cometchat-uid-2']) await meets(t, SERVED, () => putAs(user));
      const answer = await putAs('cometchat-uid-4');
      t.equal(answer.json.code, 'cometchat-busy');
      const seconds = Number(answer.headers.get('retry-after'));
      t.ok(seconds > 50 && seconds <= 60, 'until it is whole again');
      await meets(t, refusedHere(seconds));
    }
  },
);

t.test('21: what one replica is told holds for all', unlessInstalled('redis-server'), async (t) => {
  const redis = await RedisServer.start(t);
  const env = { ...SHORT, REDIS_URL: redis.url };
  const [one, two] = [await upstream(t, env), await upstream(t, env)];
  one.sandbox.fault({ status: 429, headers: { 'retry-after': '30' } });
  await one.setTags();
  const answer = await two.setTags();
  t.equal(answer.json.code, 'cometchat-busy');
  t.match(answer.headers.get('retry-after'), /^(29|30)$/);
  t.equal(two.sandbox.received, 0);
});

t.test('21: calls that are on their way count against what CometChat says is left', async (t) => {
  const { sandbox, putAs, setTags } = await upstream(t);
  const reset = String(Math.ceil(Date.now() / 1000) + 30);
  sandbox.fault(
    { headers: { 'x-rate-limit': '100', 'x-rate-limit-remaining': '1', 'x-rate-limit-reset': reset } },
    { delayMs: 300 },
  );
  await setTags();
  const arrived = sandbox.nextCall();
  const last = setTags();
  await arrived;
  t.equal((await putAs('cometchat-uid-1')).json.code, 'cometchat-busy');
  t.equal((await last).status, 200);
  t.equal(sandbox.received, 2);
});

t.test(
  '21: a Redis that takes no writes does not end the gateway',
  unlessInstalled('redis-server'),
  async (t) => {
    const redis = await RedisServer.start(t);
    const { put, sandbox } = await upstream(t, { REDIS_URL: redis.url, COMETCHAT_DEADLINE_MS: '900' });
    await redis.command('CONFIG', 'SET', 'maxmemory', 1);
    sandbox.fault({ status: 429, headers: { 'retry-after': '30' } });
    t.equal((await put({ tags: [] })).json.code, 'cometchat-busy');
    t.equal((await put({ tags: [] })).headers.get('retry-after'), '30');
    t.equal(sandbox.received, 1);
  },
);
