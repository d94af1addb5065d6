import { startGateway } from '../helpers/gateway.ts';
import { type RedisServer, redisTest } from '../helpers/redis.ts';
import { redisProxy } from '../helpers/redis-proxy.ts';
import { bearer, ME, OTHER } from '../helpers/tokens.ts';
import { until } from '../helpers/until.ts';

/** Waits until the last write has given up its turn. */
const endOfTurn = (redis: RedisServer, other = ME) =>
  until(
    'the end of the turn',
    async () => !(await redis.command('EXISTS', `write:v2:{${ME}:user:${other}}:lease`)),
  );

redisTest('a PUT waits for Redis twice', async (t, redis) => {
  const proxy = await redisProxy(t, redis);
  const { put, sandbox, underWay } = await startGateway(t, { REDIS_URL: proxy.url });
  const headers = await bearer({ jti: 'a' });
  const write = () => put({ tags: [] }, headers);
  await write();
  await endOfTurn(redis);
  proxy.hold();
  const sent = underWay(write);
  t.strictSame(await proxy.pass(3), ['eval', 'exists', 'get'], 'for the revocations and the limit');
  t.strictSame(await proxy.pass(3), ['eval', 'eval', 'pttl'], 'for the turn and the quota');
  const { answer } = await sent;
  t.equal(sandbox.received, 2, 'and is sent');
  proxy.release();
  t.equal((await answer).status, 200);
});

redisTest('a PATCH waits once more, before its second call', async (t, redis) => {
  const proxy = await redisProxy(t, redis);
  const { patch, sandbox, underWay } = await startGateway(t, { REDIS_URL: proxy.url });
  const headers = await bearer({ jti: 'a' });
  const change = { add: ['a'], conversationWith: OTHER };
  t.equal((await patch(change, headers)).status, 200);
  await endOfTurn(redis, OTHER);
  proxy.hold();
  const first = underWay(() => patch({ ...change, add: ['b'] }, headers));
  t.strictSame(await proxy.pass(3), ['eval', 'exists', 'get'], 'for the revocations and the limit');
  t.strictSame(await proxy.pass(3), ['eval', 'eval', 'pttl'], 'for the turn and the quota');
  const { answer } = await first;
  t.strictSame(await proxy.pass(3), ['eval', 'eval', 'pttl'], 'for the same once more');
  t.equal((await answer).status, 200);
  t.equal(sandbox.received, 4);
  proxy.release();
});

redisTest(
  'once a session was refused, others of its user are checked before they count, so that no flood of them does',
  async (t, redis) => {
    const proxy = await redisProxy(t, redis);
    let now = 0;
    const seams = { now: () => now };
    const { put } = await startGateway(t, { REDIS_URL: proxy.url }, { seams });
    await redis.command('SET', 'revoked:a', 1);
    const headers = await bearer({ jti: 'a' });
    const isRevoked = async () => t.equal((await put({ tags: [] }, headers)).status, 401);
    await isRevoked();
    const count = () => redis.command('HGET', 'rate:v2:user:0', ME);
    await until('its count to be given back', async () => (await count()) === '0');
    proxy.hold();
    const flood = Promise.all([isRevoked(), isRevoked()]);
    t.strictSame(await proxy.pass(4), ['exists', 'exists', 'get', 'get']);
    proxy.release();
    await flood;
    t.equal(await count(), '0');
    now += 60_000;
    proxy.hold();
    const next = isRevoked();
    t.strictSame(await proxy.pass(3), ['eval', 'exists', 'get'], 'until the minute is over');
    proxy.release();
    await next;
  },
);

redisTest('Redis is asked only about what a session has: its jti, its sub, or neither', async (t, redis) => {
  const proxy = await redisProxy(t, redis);
  const { put } = await startGateway(t, { UID_TEMPLATE: '{uid}', REDIS_URL: proxy.url });
  for (const [claims, commands] of [
    [{ jti: 'a' }, ['eval', 'exists', 'get']],
    [{ jti: 'a', sub: undefined }, ['eval', 'exists']],
    [{}, ['eval', 'get']],
    [{ sub: undefined }, ['eval']],
  ] as const) {
    const headers = await bearer({ uid: ME, ...claims });
    proxy.hold();
    const answer = put({ tags: [] }, headers);
    t.strictSame(await proxy.pass(commands.length), commands);
    proxy.release();
    t.equal((await answer).status, 200);
    await endOfTurn(redis);
  }
  await redis.command('SET', 'revoked:a', 1);
  t.equal((await put({ tags: [] }, await bearer({ uid: ME, sub: undefined, jti: 'a' }))).status, 401);
});
