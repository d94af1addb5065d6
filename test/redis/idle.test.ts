import type { Redis } from 'ioredis';
import tap, { type Test } from 'tap';
import { type Certificate, makeCertificate } from '../../sandbox/certificates.ts';
import { errorType } from '../../src/base/error-type.ts';
import { createLog } from '../../src/operations/log.ts';
import { redisConnection } from '../../src/redis/connection.ts';
import { startGateway } from '../helpers/gateway.ts';
import { testWith } from '../helpers/installed.ts';
import { countsOf } from '../helpers/metrics.ts';
import { opaqueSessions, RedisServer, redisAt } from '../helpers/redis.ts';
import { type Fate, redisProxy } from '../helpers/redis-proxy.ts';
import { services } from '../helpers/room.ts';
import { trust } from '../helpers/trust.ts';
import { until } from '../helpers/until.ts';
import { isUnchecked, STORED, withOpaque } from './outage.ts';

// Each waits until its connection is asked.
tap.jobs = 4;
const redisTest = (name: string, body: (t: Test, redis: RedisServer) => Promise<unknown>) =>
  testWith('redis-server', name, async (t) => body(t, await RedisServer.start(t)), { buffered: true });

/** A connection that waits for no answer, and all that it logs. */
async function idle(t: Test, redis: RedisServer, certificate?: Certificate) {
  const proxy = await redisProxy(t, redis, certificate);
  const around = services();
  const logged: string[] = [];
  const write = (line: string) => {
    const { msg, error } = JSON.parse(line);
    logged.push(error ? `${msg}: ${error.type}` : msg);
  };
  const log = createLog({ level: 'info', secrets: { current: [] } }, { write });
  const redisOfProxy = await redisConnection(redisAt(proxy.url), { ...around, log });
  t.teardown(() => redisOfProxy.close());
  await redisOfProxy.connect();
  const connection = redisOfProxy.client as Redis;
  await until('the connection', () => connection.status === 'ready');
  await connection.get('x');
  logged.length = 0;
  return {
    proxy,
    connection,
    logged,
    isConnected: async () => (await countsOf(around.metrics)).redis_connected === 1,
  };
}

/** Has an idle connection forgotten, and checks that it is replaced before a command needs it. */
async function isReplaced(
  t: Test,
  { proxy, connection, logged, isConnected }: Awaited<ReturnType<typeof idle>>,
  fate: Fate,
  type: string,
) {
  proxy.forget(fate);
  proxy.asked.length = 0;
  await until('another connection', () => logged.length > 1);
  t.strictSame(logged, [`Redis connection lost: ${type}`, 'Redis connection restored'], fate);
  t.equal(proxy.asked[0], 'ping');
  t.ok(await isConnected());
  t.equal(await connection.get('x'), null);
}

redisTest('an idle connection that was forgotten is replaced before a command needs it', async (t, redis) => {
  const fates: [Fate, string][] = [
    ['nothing passes', 'timeout'],
    ['no command passes', 'timeout'],
    ['no reply passes', 'timeout'],
    ['reset by the next byte', 'ECONNRESET'],
  ];
  await Promise.all(fates.map(async ([fate, type]) => isReplaced(t, await idle(t, redis), fate, type)));
});

redisTest('so it is with TLS', async (t, redis) => {
  const certificate = await makeCertificate('good');
  trust(t, certificate);
  await isReplaced(t, await idle(t, redis, certificate), 'nothing passes', 'timeout');
});

redisTest('an idle connection that is good is kept, and nothing is logged', async (t, redis) => {
  const { proxy, connection, logged, isConnected } = await idle(t, redis);
  const isKept = async () => {
    proxy.asked.length = 0;
    const { connections } = proxy;
    await until('two questions', () => proxy.asked.length >= 2);
    t.strictSame([...new Set(proxy.asked)], ['ping'], 'and nothing else');
    t.equal(proxy.connections, connections);
    t.strictSame(logged, []);
    t.ok(await isConnected());
  };
  await isKept();
  await redis.command('ACL', 'SETUSER', 'default', '-ping');
  t.equal(await connection.ping().catch(errorType), 'NOPERM');
  await isKept();
});

redisTest('a connection that gets no reply from the start is tried anew after a second', async (t, redis) => {
  const { proxy, logged } = await idle(t, redis);
  proxy.forget('nothing passes', { down: true });
  await until('the loss', () => logged.length > 0);
  const lost = { at: performance.now(), connections: proxy.connections };
  await until('three more', () => proxy.connections >= lost.connections + 3);
  const ms = performance.now() - lost.at;
  t.ok(ms < 4000, `in ${ms} ms`);
});

redisTest(
  'while the way to Redis is gone no request waits for it, and when it is back it is found',
  async (t, redis) => {
    await redis.command(...STORED);
    const proxy = await redisProxy(t, redis);
    const gateway = await startGateway(t, opaqueSessions(proxy.url));
    const { lines, counts, served } = gateway;
    await until('a call that is served', async () => (await withOpaque(gateway)).status === 200);
    proxy.forget('nothing passes', { down: true });
    await until('the loss', async () => (await counts()).redis_connected === 0);
    for (const _ of [1, 2]) await isUnchecked(t, gateway, withOpaque);
    proxy.up();
    await until('the connection', () => /Redis connection restored/.test(lines.join()));
    await served(t, () => withOpaque(gateway));
  },
);
