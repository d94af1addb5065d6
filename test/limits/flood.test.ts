import { type FastifyReply, type FastifyRequest, fastify, type onRequestHookHandler } from 'fastify';
import t, { type Test } from 'tap';
import { ProblemError } from '../../src/base/problem-error.ts';
import { limits } from '../../src/limits/limits.ts';
import { type Gateway, startGateway } from '../helpers/gateway.ts';
import { withAndWithoutRedis } from '../helpers/redis.ts';
import { services } from '../helpers/room.ts';
import { bearer, ME } from '../helpers/tokens.ts';

/** Two requests a minute may be made by a user, and may fail from an address; these are five. */
const FLOODS = [
  { limit: 'user', key: ME, statuses: [200, 200, 429, 429, 429], headers: () => bearer() },
  {
    limit: 'address',
    key: '127.0.0.1',
    statuses: [401, 401, 429, 429, 429],
    headers: async () => ({ authorization: 'Bearer nobody' }),
  },
];
type Flood = (typeof FLOODS)[number];

async function send(t: Test, { statuses, headers }: Flood, { put }: Gateway): Promise<void> {
  for (const status of statuses) t.equal((await put({ tags: [] }, await headers())).status, status);
}

for (const flood of FLOODS) {
  withAndWithoutRedis(
    `${flood.limit}: a flood beyond the limit asks Redis once a minute`,
    async (t, redis) => {
      let now = Date.now();
      const env = { RATE_LIMIT_PER_MINUTE: '2', REDIS_URL: redis?.url };
      const gateway = await startGateway(t, env, { seams: { now: () => now } });
      for (const minute of [1, 2]) {
        await send(t, flood, gateway);
        const counts = await gateway.counts();
        t.equal(counts[`rate_limited ${flood.limit}`], 3 * minute, 'all are counted');
        t.equal(counts['problems rate-limited'], 3 * minute);
        const keys = ((await redis?.command('KEYS', 'rate:*')) ?? []) as string[];
        for (const key of keys) {
          t.ok(key.startsWith(`rate:v2:${flood.limit}:`));
          t.equal(await redis?.command('HGET', key, flood.key), '3', 'Redis hears of the first alone');
        }
        t.equal(keys.length, redis ? minute : 0);
        now += 60_000;
      }
    },
  );
}

/** A limit of so many for each user; asks for one more request of a user, in the same turn of the event loop. */
async function limitOf(t: Test, perMinute: number, now: () => number) {
  const app = fastify();
  t.teardown(() => app.close());
  const added = t.capture(app, 'addHook', app.addHook);
  await limits(app, { perMinute, services: services(undefined, { now }) });
  const count = added()[0]?.args[1] as unknown as onRequestHookHandler;
  return (user: string) =>
    new Promise<'let in' | 'refused' | 'refused at once'>((resolve) => {
      const request = { caller: { onBehalfOf: user } } as FastifyRequest;
      let refusal: 'refused' | 'refused at once' = 'refused at once';
      const done = (error?: Error) => resolve(error instanceof ProblemError ? refusal : 'let in');
      count.call(app, request, { headers() {} } as unknown as FastifyReply, done);
      refusal = 'refused';
    });
}

t.test('a user beyond the limit as a minute ends is let in in the next one', async (t) => {
  let now = 59_999;
  const ask = await limitOf(t, 1, () => now);
  await ask('late');
  const underWay = ask('late');
  now = 60_000;
  t.equal(await ask('other'), 'let in');
  t.equal(await underWay, 'refused');
  t.equal(await ask('late'), 'let in');
});

t.test(
  '50,000 users beyond the limit are refused without counting; others are counted each time',
  async (t) => {
    const ask = await limitOf(t, 0, () => 0);
    for (let n = 1; n <= 50_001; n += 1) await ask(`${n}`);
    t.strictSame([await ask('1'), await ask('50000')], ['refused at once', 'refused at once']);
    t.strictSame([await ask('50001'), await ask('50001')], ['refused', 'refused']);
  },
);
