import { fastify } from 'fastify';
import type { Counter } from 'prom-client';
import t, { type Test } from 'tap';
import { createLimit } from '../../src/limits/limits.ts';
import { Metrics } from '../../src/operations/metrics.ts';
import { build, callBytes, sign, unlessInstalled } from '../helper.ts';
import { RedisServer } from '../redis-server.ts';

const as = async (sub: string) => ({ authorization: `Bearer ${await sign({ sub })}` });

/** Two requests a minute may be made by a user, and may fail from an address; these are five. */
const FLOODS = [
  { limit: 'user', statuses: [200, 200, 429, 429, 429], headers: () => as('cometchat-uid-4') },
  {
    limit: 'address',
    statuses: [401, 401, 429, 429, 429],
    headers: async () => ({ authorization: 'Bearer nobody' }),
  },
];
type Flood = (typeof FLOODS)[number];
type Gateway = Awaited<ReturnType<typeof build>>;

async function send(t: Test, { statuses, headers }: Flood, { put }: Gateway): Promise<void> {
  for (const status of statuses) t.equal((await put({ tags: [] }, await headers())).status, status);
}

/** What has been counted under a label. */
async function counted(metric: Counter, label: string): Promise<number | undefined> {
  const { values } = await metric.get();
  return values.find(({ labels }) => Object.values(labels).includes(label))?.value;
}

for (const flood of FLOODS) {
  for (const place of ['this process', 'Redis']) {
    const options = place === 'Redis' ? unlessInstalled('redis-server') : {};
    t.test(`${flood.limit}: counted in ${place}, a flood is told once a minute`, options, async (t) => {
      let now = Date.now();
      const redis = place === 'Redis' ? await RedisServer.start(t) : undefined;
      const env = { RATE_LIMIT_PER_MINUTE: '2', REDIS_URL: redis?.url };
      const gateway = await build(t, env, { minutes: () => now });
      const { rateLimited, problems } = gateway.app.metrics;
      for (const minute of [1, 2]) {
        await send(t, flood, gateway);
        const lines = gateway.requests();
        t.equal(lines.length, 3 * minute, 'those within the limit, and the first one beyond it');
        t.match(lines.at(-1), { level: 'info', status: 429, problem: 'rate-limited' });
        t.equal(await counted(rateLimited, flood.limit), 3 * minute, 'all are counted');
        t.equal(await counted(problems, 'rate-limited'), 3 * minute);
        const keys = ((await redis?.command('KEYS', 'rate:*')) ?? []) as string[];
        for (const key of keys)
          t.equal(await redis?.command('GET', key), '3', 'Redis hears of the first alone');
        t.equal(keys.length, redis ? minute : 0);
        now += 60_000;
      }
    });
  }

  t.test(`${flood.limit}: who looks closely sees the whole flood`, async (t) => {
    const gateway = await build(t, { RATE_LIMIT_PER_MINUTE: '2', LOG_LEVEL: 'debug' });
    await send(t, flood, gateway);
    t.strictSame(
      gateway.requests().map(({ level, status }) => `${level} ${status}`),
      flood.statuses.map((status, index) => `${index < 3 ? 'info' : 'debug'} ${status}`),
    );
  });
}

t.test('nobody is passed over in silence because another floods', async (t) => {
  const { put, requests } = await build(t, { RATE_LIMIT_PER_MINUTE: '1' });
  const users = ['cometchat-uid-1', 'cometchat-uid-2'];
  for (const user of users) for (const _ of [1, 2, 3]) await put({ tags: [] }, await as(user));
  const told = requests().filter(({ status }) => status === 429);
  t.strictSame(
    told.map(({ onBehalfOf }) => onBehalfOf),
    users,
  );
});

t.test(
  'each of the replicas that count together tells of a flood',
  unlessInstalled('redis-server'),
  async (t) => {
    const redis = await RedisServer.start(t);
    const env = { RATE_LIMIT_PER_MINUTE: '2', REDIS_URL: redis.url };
    const start = Date.now();
    const replicas = [
      await build(t, env, { minutes: () => start }),
      await build(t, env, { minutes: () => start }),
    ];
    for (const statuses of [
      [200, 200, 429, 429],
      [429, 429],
    ]) {
      const { put, requests } = replicas.shift() as Gateway;
      for (const status of statuses) t.equal((await put({ tags: [] })).status, status);
      t.equal(requests().filter(({ status }) => status === 429).length, 1);
    }
  },
);

/** A limit of so many, whose requests are nothing but what they count for; says whether one is let in. */
async function limitOf(t: Test, perMinute: number, now: () => number) {
  const app = fastify();
  t.teardown(() => app.close());
  const edges = { redis: undefined, metrics: new Metrics() };
  const keyOf = (request: object) => (request as { key: string }).key;
  const limit = await createLimit(app, 'user', keyOf, { perMinute, now }, edges);
  return (key: string): Promise<'let in' | 'told' | 'held back'> =>
    limit({ key, routeOptions: {} } as never, { header() {} } as never).then(
      () => 'let in',
      ({ isRepeated }) => (isRepeated ? 'held back' : 'told'),
    );
}

t.test('who was one too many as a minute ended is let in in the next one', async (t) => {
  let now = 59_999;
  const ask = await limitOf(t, 1, () => now);
  await ask('late');
  const underWay = ask('late');
  now = 60_000;
  t.equal(await ask('other'), 'let in');
  t.equal(await underWay, 'told');
  t.equal(await ask('late'), 'let in');
});

t.test('50,000 who flood are noted; of others each request is told', async (t) => {
  const ask = await limitOf(t, 0, () => 0);
  for (let n = 1; n <= 50_001; n += 1) await ask(`${n}`);
  t.strictSame([await ask('1'), await ask('50000')], ['held back', 'held back']);
  t.strictSame([await ask('50001'), await ask('50001')], ['told', 'told']);
});

for (const place of ['this process', 'Redis']) {
  const options = place === 'Redis' ? unlessInstalled('redis-server') : {};
  t.test(`counted in ${place}, a flood that comes all at once is told once`, options, async (t) => {
    const redis = place === 'Redis' ? await RedisServer.start(t) : undefined;
    const { raw, put, requests } = await build(t, { RATE_LIMIT_PER_MINUTE: '1', REDIS_URL: redis?.url });
    await put({ tags: [] });
    const fields = [`Authorization: Bearer ${await sign()}`, 'Content-Type: application/json'];
    await raw(callBytes(...fields).repeat(49) + callBytes(...fields, 'Connection: close'));
    t.equal(requests().filter(({ status }) => status === 429).length, 1);
  });
}
