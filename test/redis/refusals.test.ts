import type { Redis } from 'ioredis';
import t from 'tap';
import { redisConnection } from '../../src/redis/connection.ts';
import { parseRedisUrl } from '../../src/redis/url.ts';
import { isProblem } from '../helpers/answers.ts';
import { bulk, fakeRedis } from '../helpers/fake-redis.ts';
import { startGateway } from '../helpers/gateway.ts';
import { countsOf } from '../helpers/metrics.ts';
import { opaqueSessions, redisAt, redisTest } from '../helpers/redis.ts';
import { services } from '../helpers/room.ts';
import { bearer, ME } from '../helpers/tokens.ts';
import { until } from '../helpers/until.ts';
import {
  isServedAlone,
  isUnchecked,
  SESSION,
  STORED,
  withOpaque,
  withoutJti,
  withRevocable,
} from './outage.ts';
import { RIGHTS } from './rights.ts';

redisTest('what Redis does not permit stands in the log', async (t, redis) => {
  await redis.command('ACL', 'SETUSER', 'default', '-exists', '-eval');
  const gateway = await startGateway(t, { REDIS_URL: redis.url });
  await isUnchecked(t, gateway, withRevocable, 'NOPERM');
  await isServedAlone(t, gateway, { knowsRevocations: true });
  t.match(gateway.lines.join(), /"type":"NOPERM"},"msg":"Redis unavailable: using in-process state"/);
});

redisTest('a Redis that will not tell of revocations is no outage: nobody is let in', async (t, redis) => {
  const gateway = await startGateway(t, { REDIS_URL: redis.url });
  const isRefused = async (type: string) => {
    const { status, json } = await withoutJti(gateway);
    t.match([status, json.code], [503, 'session-store-unavailable']);
    t.match(gateway.requests().at(-1), { error: { type } });
  };
  await redis.command('RPUSH', `revoked-before:${ME}`, 'x');
  await isRefused('WRONGTYPE');
  await redis.command('ACL', 'SETUSER', 'default', '-get');
  await isRefused('NOPERM');
});

redisTest('the rights that docs/redis.md asks one server for are enough', async (t, redis) => {
  await redis.command('ACL', 'SETUSER', 'gateway', 'on', '>test', ...RIGHTS.database0);
  const REDIS_URL = redis.url.replace(/:[^:@]+@/, 'gateway:test@');
  const first = await startGateway(t, { REDIS_URL });
  const { sandbox } = first;
  const second = await startGateway(t, { REDIS_URL }, { sandbox });
  const revocable = await bearer({ jti: 'a' });
  const write = ({ put }: typeof first) => put({ tags: ['a'] }, revocable);
  sandbox.fault({ delayMs: 100 }, {}, { status: 429 });
  const { answer } = await first.underWay(() => write(first));
  t.equal((await write(second)).status, 200, 'after the one of the first replica');
  t.equal((await answer).status, 200);
  t.equal((await first.put({ tags: [] })).json.code, 'cometchat-busy');
  t.equal((await second.put({ tags: [] })).json.code, 'cometchat-busy');
  t.equal(sandbox.received, 3);
  for (const { counts } of [first, second]) {
    const failures = Object.entries(await counts()).filter(([name]) => name.startsWith('redis_failures'));
    t.strictSame(new Set(failures.map(([, count]) => count)), new Set([0]));
  }
  const lane = `write:v2:{${ME}:user:${ME}}`;
  await until(
    'the end of the last PUT, which a PATCH would wait for',
    async () => (await redis.command('HEXISTS', lane, 'until')) === 0,
  );
});

redisTest('a wrong password is no way in, and the log says so', async (t, redis) => {
  const gateway = await startGateway(t, { REDIS_URL: redis.url.replace('redis-', 'wrong-') });
  await isUnchecked(t, gateway, withRevocable);
  await isServedAlone(t, gateway);
  t.match(gateway.lines.join(), /"level":"error".*"type":"WRONGPASS"},"msg":"Redis connection lost"/);
});

redisTest(
  'a password that is changed is an error in the log, also where Redis was lost before',
  async (t, redis) => {
    const { lines } = await startGateway(t, { REDIS_URL: redis.url });
    await redis.changePassword();
    await redis.command('CLIENT', 'KILL', 'TYPE', 'normal');
    await until('WRONGPASS', () => lines.join().includes('WRONGPASS'));
    const lost = lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'Redis connection lost');
    t.match(lost, [
      { level: 'warn', error: { type: 'closed' } },
      { level: 'error', error: { type: 'WRONGPASS' } },
    ]);
  },
);

redisTest('a new password is used by the next connection, also where it comes late', async (t, redis) => {
  const around = services();
  const errors = t.capture(around.log, 'error');
  const config = redisAt(redis.url);
  const { client, connect, close } = await redisConnection(config, around);
  t.teardown(close);
  await connect();
  const connection = client as Redis;
  const rotate = () => {
    config.target.current = parseRedisUrl(redis.url);
  };
  const lose = async () => {
    const ready = new Promise((resolve) => connection.once('ready', resolve));
    await redis.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    return ready;
  };
  await redis.changePassword();
  t.equal(await connection.ping(), 'PONG', 'which goes on meanwhile');
  rotate();
  await lose();
  t.strictSame(errors(), []);

  await redis.changePassword();
  const ready = lose();
  await until('an error', () => errors().length > 0);
  rotate();
  await ready;
  await until('the metric', async () => (await countsOf(around.metrics)).redis_connected === 1);
});

redisTest('a database that is not there is not mistaken for another', async (t, redis) => {
  const gateway = await startGateway(t, { REDIS_URL: `${redis.url}/99` });
  for (const _ of [1, 2, 3]) await isUnchecked(t, gateway, withRevocable);
  await isServedAlone(t, gateway);
  t.match(gateway.lines.join(), /"type":"ERR"},"msg":"Redis connection lost"/);
  t.notMatch(gateway.lines.join(), /Redis connection restored/);
});

redisTest('a replica whose Redis lets it ask for no session is not ready', async (t, redis) => {
  const { get } = await startGateway(t, opaqueSessions(redis.url));
  t.equal((await get('/readyz')).status, 200);
  await redis.command('ACL', 'SETUSER', 'default', '-get');
  isProblem(t, await get('/readyz'), 503, 'session-store-unavailable');
  await redis.command('ACL', 'SETUSER', 'default', '+get');
  t.equal((await get('/readyz')).status, 200);
});

redisTest('a Redis that is full takes no counts, and knows revocations all the same', async (t, redis) => {
  const gateway = await startGateway(t, { REDIS_URL: redis.url });
  const { refused, served, lines } = gateway;
  await redis.command('SET', 'revoked:a', 1);
  await redis.command('CONFIG', 'SET', 'maxmemory', 1);
  await refused(t, () => withRevocable(gateway), 401, 'session-revoked', {
    reason: 'revoked',
    moved: { 'redis_failures rate_limit': 1 },
  });
  for (const _ of [1, 2]) await isServedAlone(t, gateway, { knowsRevocations: true });
  const unavailable = '"error":{"type":"OOM"},"msg":"Redis unavailable: using in-process state"';
  t.equal(lines.filter((line) => line.includes(unavailable)).length, 3, 'one for each use');
  await redis.command('CONFIG', 'SET', 'maxmemory', 0);
  await served(t, () => withoutJti(gateway));
  await until('a second without a failure', async () => {
    await withoutJti(gateway);
    return /"limit":"user","msg":"Redis available: using shared state"/.test(lines.join());
  });
});

redisTest('a master that has become a replica is left once, and for no other error', async (t, redis) => {
  const gateway = await startGateway(t, opaqueSessions(redis.url));
  const connection = async () => {
    const clients = String(await redis.command('CLIENT', 'LIST'));
    return /id=(\d+)[^\n]* name=cometchat-gateway/.exec(clients)?.[1];
  };
  const first = await connection();
  await redis.command('RPUSH', SESSION, 'no text');
  await isUnchecked(t, gateway, withOpaque, 'WRONGTYPE');
  t.equal(await connection(), first, 'an error of another kind');
  await redis.command('DEL', SESSION);
  await redis.command(...STORED);
  await redis.command('REPLICAOF', '127.0.0.1', 1);
  await withOpaque(gateway);
  let second: string | undefined;
  await until('another connection', async () => {
    second = await connection();
    return second !== undefined && second !== first;
  });
  await until('a call that is served', async () => (await withOpaque(gateway)).status === 200);
  t.equal(await connection(), second, 'once, though it still takes no writes');
});

t.test('a Redis that answers what nobody asked harms nothing', async (t) => {
  const commands = ['set', 'incr', 'eval', 'hincrby', 'pexpire', 'pttl'];
  for (const reply of ['$-1', '+OK', '*0', '*2\r\n$1\r\nx\r\n$1\r\ny', ':99999999999999999999']) {
    const replies = Object.fromEntries(commands.map((name) => [name, reply]));
    const REDIS_URL = await fakeRedis(t, { ...replies, get: '$-1', info: bulk('') });
    const gateway = await startGateway(t, { REDIS_URL, RATE_LIMIT_PER_MINUTE: '9' });
    const { headers } = await isServedAlone(t, gateway, { knowsRevocations: true });
    t.match(headers.get('ratelimit'), /^"user";r=8;t=\d+$/);
  }
});

t.test('a Redis that still loads its data delays neither the start nor a request', async (t) => {
  const REDIS_URL = await fakeRedis(t, {
    info: bulk('redis_version:7.0.0\r\nloading:1\r\nloading_eta_seconds:3600\r\n'),
  });
  const gateway = await startGateway(t, { REDIS_URL });
  await isUnchecked(t, gateway, withRevocable);
  await isServedAlone(t, gateway);
});
