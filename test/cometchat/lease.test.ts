import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { Sandbox } from '../../sandbox/server.ts';
import { type CometChat, cometChatClient } from '../../src/cometchat/client.ts';
import { leasesOf } from '../../src/cometchat/lease.ts';
import { CLIENT_GONE, SUPERSEDED } from '../../src/cometchat/outcome.ts';
import { API_KEY, cometChatIdOf, ME, metricOf, OTHER, services, unlessInstalled } from '../helper.ts';
import { RedisServer } from '../redis-server.ts';

const NEVER = new AbortController().signal;
const LANE = 'write:v2:{lane}';

/** Makes the leases of a replica whose attempts take so long at most. */
async function replica(t: Test, attemptMs = 500) {
  const server = await RedisServer.start(t);
  const redis = new Redis(server.url);
  t.teardown(() => redis.disconnect());
  await once(redis, 'ready');
  const around = services(redis);
  const leaseOf = leasesOf(redis, attemptMs, around);
  return { server, redis, metrics: around.metrics, lease: () => leaseOf('lane') };
}

t.test(
  'a replica that dies keeps the others waiting for its attempt and a second, no longer',
  unlessInstalled('redis-server'),
  async (t) => {
    const { redis, lease } = await replica(t);
    const one = lease();
    await one.acquire(NEVER);
    const left = await redis.pttl(`${LANE}:lease`);
    t.ok(left > 1000 && left <= 1500, `${left} ms`);
    t.ok((await redis.pttl(LANE)) > 60_000, 'and what it knew goes by itself');
    t.ok(one.isHeld);
    await wait(1000);
    t.notOk(one.isHeld, 'an attempt that began now could end in the turn of another');
  },
);

t.test(
  'a lease counts from when Redis was asked for it, however late it answers',
  unlessInstalled('redis-server'),
  async (t) => {
    const { redis, lease } = await replica(t);
    const ask = redis.eval.bind(redis) as (...args: unknown[]) => Promise<unknown>;
    const late = async (...args: unknown[]) => {
      const reply = await ask(...args);
      return wait(600, reply);
    };
    t.intercept(redis, 'eval', { value: late });
    const one = lease();
    t.equal(await one.acquire(NEVER), undefined);
    t.ok(one.isHeld);
    await wait(450);
    t.notOk(one.isHeld);
  },
);

t.test(
  'the keys of a lane are in one slot of a Redis Cluster',
  unlessInstalled('redis-server'),
  async (t) => {
    const { redis, lease } = await replica(t);
    await lease().acquire(NEVER);
    t.strictSame((await redis.keys('*')).sort(), [LANE, `${LANE}:lease`]);
  },
);

t.test('a lease that has ended takes the turn from nobody', unlessInstalled('redis-server'), async (t) => {
  const { redis, lease } = await replica(t, -950);
  const [slow, next] = [lease(), lease()];
  await slow.acquire(NEVER);
  await wait(60);
  await next.acquire(NEVER);
  const holder = await redis.get(`${LANE}:lease`);
  slow.release();
  await redis.ping();
  t.equal(await redis.get(`${LANE}:lease`), holder);
});

t.test('a write that is registered does not hold up others', unlessInstalled('redis-server'), async (t) => {
  const { redis, metrics, lease } = await replica(t);
  const one = lease();
  one.register();
  t.ok(await one.isNewest());
  t.equal(await metricOf(metrics, 'redis_failures_total', { use: 'write_order' }), 0);
  t.equal(await redis.exists(`${LANE}:lease`), 0);
});

t.test('an older write is superseded, whichever asks first', unlessInstalled('redis-server'), async (t) => {
  const { redis, lease } = await replica(t);
  const [older, newer] = [lease(), lease()];
  older.register();
  newer.register();
  t.ok(await older.isNewest(), 'as far as anybody knows');
  await redis.ping();
  t.notOk(await older.isNewest());
  t.ok(await newer.isNewest());
  t.equal(await older.acquire(NEVER), SUPERSEDED);
  t.equal(await newer.acquire(NEVER), undefined);
  t.equal(await newer.acquire(NEVER), undefined, 'and the newer one can extend its lease');
});

t.test(
  'an older write is superseded though the clock of Redis was set forward since',
  unlessInstalled('redis-server'),
  async (t) => {
    const { redis, lease } = await replica(t);
    const [older, newer] = [lease(), lease()];
    older.register();
    newer.register();
    // What Redis has written down of the newer one now looks older than all.
    await redis.hset(LANE, 'at', 1);
    t.equal(await older.acquire(NEVER), SUPERSEDED);
    t.equal(await newer.acquire(NEVER), undefined);
  },
);

t.test('a lease is waited for until it is released', unlessInstalled('redis-server'), async (t) => {
  const { lease } = await replica(t);
  const [one, next] = [lease(), lease()];
  await one.acquire(NEVER);
  const waiting = next.acquire(NEVER);
  t.equal(await Promise.race([waiting, wait(50, 'waits')]), 'waits');
  one.release();
  t.equal(await waiting, undefined);
  t.ok(next.isHeld);
  t.notOk(one.isHeld);
});

t.test('or until nobody wants it any more', unlessInstalled('redis-server'), async (t) => {
  const { lease } = await replica(t);
  await lease().acquire(NEVER);
  const ended = new AbortController();
  const waiting = lease().acquire(ended.signal);
  await wait(20);
  ended.abort(CLIENT_GONE);
  t.equal(await waiting, CLIENT_GONE);
});

t.test(
  'a lease that is handed over is held by the other write',
  unlessInstalled('redis-server'),
  async (t) => {
    const { lease } = await replica(t);
    const [one, next, third] = [lease(), lease(), lease()];
    await one.acquire(NEVER);
    one.transfer(next);
    t.ok(next.isHeld);
    t.equal(await next.acquire(NEVER), undefined, 'without waiting');
    next.release();
    t.equal(await third.acquire(NEVER), undefined);
  },
);

t.test(
  'a Redis that has lost the lane learns its order again',
  unlessInstalled('redis-server'),
  async (t) => {
    const { redis, lease } = await replica(t);
    const older = lease();
    await older.acquire(NEVER);
    older.release();
    // Redis tells writes apart by the millisecond.
    await wait(20);
    const newer = lease();
    newer.register();
    t.ok(await newer.isNewest());
    await redis.flushall();
    t.equal(await newer.acquire(NEVER), undefined);
    newer.release();
    t.equal(await older.acquire(NEVER), SUPERSEDED, 'though it has the version that the newer one has now');
  },
);

t.test(
  'while Redis is down a replica knows of no newer write',
  unlessInstalled('redis-server'),
  async (t) => {
    const { redis, metrics, lease } = await replica(t);
    const one = lease();
    await one.acquire(NEVER);
    t.intercept(redis, 'hget', { value: () => Promise.reject(new Error('Connection is closed.')) });
    t.ok(await one.isNewest(), 'so that equal writes are still sent once');
    t.equal(await metricOf(metrics, 'redis_failures_total', { use: 'write_order' }), 1);
  },
);

t.test('a reply of Redis that is none counts as a failure', unlessInstalled('redis-server'), async (t) => {
  const { redis, metrics, lease } = await replica(t);
  t.intercept(redis, 'eval', { value: async () => ['?', 'held'] });
  const one = lease();
  t.equal(await one.acquire(NEVER), undefined, 'and the replica keeps the order of its own');
  t.ok(one.isHeld);
  t.equal(await metricOf(metrics, 'redis_failures_total', { use: 'write_order' }), 1);
});

t.test(
  'a write of which Redis could not be told is not the newest, once Redis is back',
  unlessInstalled('redis-server'),
  async (t) => {
    const { redis, lease } = await replica(t);
    const [one, waiting] = [lease(), lease()];
    const { eval: ask } = redis;
    t.intercept(redis, 'eval', { value: async () => Promise.reject(new Error('Command timed out')) });
    t.equal(await one.acquire(NEVER), undefined, 'it was sent all the same');
    waiting.register();
    await redis.ping();
    t.intercept(redis, 'eval', { value: ask.bind(redis) });
    const other = lease();
    other.register();
    for (const older of [one, waiting]) t.notOk(await older.isNewest(), 'so that an equal one is sent again');
    t.ok(await other.isNewest());
  },
);

/** The clients of two replicas that share a Redis, before one sandbox. */
async function clientsOf(t: Test) {
  const server = await RedisServer.start(t);
  const sandbox = await Sandbox.start({ apiKey: API_KEY });
  t.teardown(() => sandbox.close());
  const clients: CometChat[] = [];
  const connections: Redis[] = [];
  for (const _ of [1, 2]) {
    const redis = new Redis(server.url);
    connections.push(redis);
    const config = {
      baseUrl: sandbox.baseUrl,
      apiKeys: { current: [API_KEY] },
      deadlineMs: 2000,
      attemptTimeoutMs: 1000,
      maxConcurrency: 9,
      callsPerMinute: 999,
    };
    const client = cometChatClient(config, services(redis));
    clients.push(client);
    t.teardown(() => {
      client.close();
      redis.disconnect();
    });
    await once(redis, 'ready');
  }
  const [one, two] = clients as [CometChat, CometChat];
  const onBehalfOf = cometChatIdOf(ME);
  const put = ({ lanes, deadlineMs }: CometChat, tag: string) =>
    lanes.write(
      { type: 'user', id: cometChatIdOf(OTHER) },
      { kind: 'replace', tags: [tag] },
      { onBehalfOf, gone: NEVER, deadline: performance.now() + deadlineMs },
    );
  return { one, two, put, sandbox, connections };
}

for (const [claim, hangsMs, newerAfterMs, newerOf] of [
  [
    'a write whose turn is over before it is sent waits for another one, and is not sent if there is a newer one',
    1200,
    300,
    'two',
  ],
  ['a write that is superseded between its turn and the wire is not sent', 300, 100, 'one'],
] as const) {
  t.test(claim, unlessInstalled('redis-server'), async (t) => {
    const { put, sandbox, connections, ...clients } = await clientsOf(t);
    const [slow] = connections as [Redis];
    // Between the turn and the wire the quota is asked for, of a Redis that hangs. A turn lasts a second.
    t.intercept(slow, 'pttl', { value: () => wait(hangsMs, -2) });
    const older = put(clients.one, 'older');
    await wait(newerAfterMs);
    t.match(await put(clients[newerOf], 'newer'), { outcome: { ok: true } });
    t.match(await older, { outcome: { problem: 'superseded' } });
    t.equal(sandbox.received, 1);
  });
}

t.test(
  'a write that another one of this process has overtaken while Redis was asked is superseded',
  unlessInstalled('redis-server'),
  async (t) => {
    const { one, put, sandbox } = await clientsOf(t);
    sandbox.fault({ delayMs: 300 });
    const arrived = sandbox.nextCall();
    const first = put(one, 'archived');
    await arrived;
    // The second one asks whether it may join the first; the third one need not ask.
    const results = await Promise.all([first, put(one, 'archived'), put(one, 'inbox')]);
    t.match(results, [
      { outcome: { ok: true } },
      { outcome: { problem: 'superseded' } },
      { outcome: { ok: true } },
    ]);
    t.strictSame(sandbox.world.tags(ME, 'users', OTHER), ['inbox']);
  },
);

t.test(
  'equal writes at once, after other tags of another replica, are one write',
  unlessInstalled('redis-server'),
  async (t) => {
    const { one, two, put, sandbox } = await clientsOf(t);
    sandbox.fault({ delayMs: 300 });
    const arrived = sandbox.nextCall();
    const first = put(one, 'archived');
    await arrived;
    const other = put(two, 'inbox');
    await wait(50);
    const [third, fourth] = [put(one, 'archived'), put(one, 'archived')];
    const results = await Promise.all([first, other, third, fourth]);
    t.match(results, [
      { outcome: { ok: true } },
      { outcome: { problem: 'superseded' } },
      { outcome: { ok: true }, isMerged: false },
      { outcome: { ok: true }, isMerged: true },
    ]);
    t.equal(sandbox.received, 2);
  },
);
