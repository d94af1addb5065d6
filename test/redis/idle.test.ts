import tls from 'node:tls';
import tap, { type Test } from 'tap';
import { type Certificate, makeCertificate } from '../../sandbox/certificates.ts';
import { type Gateway, startGateway } from '../helpers/gateway.ts';
import { testWith } from '../helpers/installed.ts';
import { opaqueSessions, RedisServer } from '../helpers/redis.ts';
import { type Fate, redisProxy } from '../helpers/redis-proxy.ts';
import { until } from '../helpers/until.ts';
import { isUnchecked, STORED, withOpaque } from './outage.ts';

// Each waits until its connection is asked.
tap.jobs = 4;
const redisTest = (name: string, body: (t: Test) => Promise<unknown>) =>
  testWith('redis-server', name, body, { buffered: true });

/** What the log says of the connection, and why it was lost. */
const saidOf = ({ lines }: Gateway) =>
  lines
    .map((line) => JSON.parse(line))
    .filter(({ msg }) => /^Redis connection/.test(msg))
    .map(({ msg, error }) => (error ? `${msg}: ${error.type}` : msg));

const isConnected = async ({ counts }: Gateway) => (await counts()).redis_connected === 1;

/** A gateway that has used its connection to Redis, and waits for no answer any more. */
async function idle(t: Test, { certificate }: { certificate?: Certificate } = {}) {
  const redis = await RedisServer.start(t);
  const proxy = await redisProxy(t, redis, certificate);
  await redis.command(...STORED);
  const gateway = await startGateway(t, opaqueSessions(proxy.url));
  await gateway.served(t, () => withOpaque(gateway));
  const turns = async () => (await redis.command('KEYS', 'write:*:lease')) as unknown[];
  await until('the end of the turn', async () => (await turns()).length === 0);
  await gateway.get('/readyz');
  return { redis, proxy, gateway };
}

/** Has the idle connection forgotten, and checks that it is replaced before a request needs it. */
async function isReplaced(
  t: Test,
  { proxy, gateway }: Awaited<ReturnType<typeof idle>>,
  fate: Fate,
  type: string,
) {
  proxy.forget(fate);
  await until('another connection', async () => proxy.connections === 2 && (await isConnected(gateway)));
  t.strictSame(saidOf(gateway), [`Redis connection lost: ${type}`, 'Redis connection restored'], fate);
  await gateway.served(t, () => withOpaque(gateway));
}

redisTest('an idle connection that was forgotten is found before a request needs it', async (t) => {
  const fates: [Fate, string][] = [
    ['nothing passes', 'timeout'],
    ['no command passes', 'timeout'],
    ['no reply passes', 'timeout'],
    ['reset by the next byte', 'ECONNRESET'],
  ];
  await Promise.all(fates.map(async ([fate, type]) => isReplaced(t, await idle(t), fate, type)));
});

redisTest('so it is with TLS', async (t) => {
  const certificate = await makeCertificate('good');
  const trusted = tls.getCACertificates('default');
  t.teardown(() => tls.setDefaultCACertificates(trusted));
  tls.setDefaultCACertificates([...trusted, certificate.ca]);
  await isReplaced(t, await idle(t, { certificate }), 'nothing passes', 'timeout');
});

redisTest(
  'while the way to Redis is gone no request waits for it, and when it is back it is found',
  async (t) => {
    const { proxy, gateway } = await idle(t);
    proxy.forget('nothing passes', { down: true });
    await until('the loss', async () => !(await isConnected(gateway)));
    for (const _ of [1, 2]) await isUnchecked(t, gateway, withOpaque);
    proxy.up();
    await until('the connection', () => isConnected(gateway));
    t.strictSame(saidOf(gateway), ['Redis connection lost: timeout', 'Redis connection restored'], 'once');
    await gateway.served(t, () => withOpaque(gateway));
  },
);

redisTest('an idle connection that is good is kept, and nothing is said of it', async (t) => {
  const [asked, refused] = await Promise.all([idle(t), idle(t)]);
  await refused.redis.command('ACL', 'SETUSER', 'default', '-ping');
  for (const { proxy, gateway } of [asked, refused]) {
    proxy.asked.length = 0;
    await until('two questions', () => proxy.asked.length >= 2);
    await until('an answer', async () => isConnected(gateway));
    t.strictSame([...new Set(proxy.asked)], ['ping'], 'and nothing else');
    t.equal(proxy.connections, 1);
    t.strictSame(saidOf(gateway), []);
  }
});
