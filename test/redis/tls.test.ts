import { once } from 'node:events';
import net from 'node:net';
import type { Test } from 'tap';
import { type Certificate, makeCertificate } from '../../sandbox/certificates.ts';
import { redisConnection } from '../../src/redis/connection.ts';
import { type Gateway, startGateway } from '../helpers/gateway.ts';
import { testWith } from '../helpers/installed.ts';
import { freePort, listening } from '../helpers/ports.ts';
import { redisAt } from '../helpers/redis.ts';
import { RedisCluster } from '../helpers/redis-cluster.ts';
import { RedisSentinels } from '../helpers/redis-sentinels.ts';
import { listenOn, RedisProcess } from '../helpers/redis-server.ts';
import { services } from '../helpers/room.ts';
import { trust } from '../helpers/trust.ts';
import { until } from '../helpers/until.ts';
import { asking, behindSentinels, inCluster, shareAll } from './topology.ts';

const tlsTest = (name: string, body: (t: Test, certificate: Certificate) => Promise<unknown>) =>
  testWith('redis-server', name, async (t) => body(t, await makeCertificate('good')));

const lost = ({ lines }: Gateway) =>
  lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'Redis connection lost');

/** Checks that a gateway with these variables takes no certificate whose authority it does not know, and says so once. */
async function isDistrusted(t: Test, env: Record<string, string>) {
  const gateway = await startGateway(t, env);
  await until('a second attempt', async () => (await gateway.get('/readyz')).json.redis === 'unavailable');
  t.match(lost(gateway), [{ level: 'error', error: { type: 'SELF_SIGNED_CERT_IN_CHAIN' } }]);
  t.equal(lost(gateway).length, 1);
}

tlsTest(
  'rediss+cluster:// asks for TLS at every node, and for a certificate that is trusted',
  async (t, certificate) => {
    const distrust = trust(t, certificate);
    const cluster = await RedisCluster.start(t, { certificate });
    await shareAll(t, { REDIS_URL: cluster.url }, asking(t, cluster));
    const gateway = await inCluster(t, cluster);
    t.strictSame(lost(gateway), []);
    distrust();
    await isDistrusted(t, { REDIS_URL: cluster.url });
    await isDistrusted(t, { REDIS_URL: cluster.url.replace(/,.*/, '') });
  },
);

tlsTest(
  'rediss+sentinel:// asks for TLS at sentinels and servers, and for a certificate that is trusted',
  async (t, certificate) => {
    const distrust = trust(t, certificate);
    const redis = await RedisSentinels.start(t, { certificate });
    const { gateway, isMoved } = await behindSentinels(t, redis);
    t.strictSame(lost(gateway), []);
    await redis.askSentinel(redis.sentinels[0] ?? { port: 0 }, 'SENTINEL', 'FAILOVER', 'tags');
    await isMoved();
    await until('the new master', async () =>
      String(await redis.ask(await redis.master(), 'CLIENT', 'LIST')).includes('name=cometchat-gateway'),
    );
    distrust();
    await isDistrusted(t, redis.environment);
    await isDistrusted(t, { ...redis.environment, REDIS_URL: redis.url.replace(/,[^/]*/, '') });
  },
);

tlsTest('a connection that is closed while it is made does not end the process', async (t, certificate) => {
  const port = await freePort();
  const dir = t.testdir({});
  const args = listenOn(dir, port, certificate).flatMap(([name, value]) => [`--${name}`, value]);
  await new RedisProcess(t, port, () => args).start();
  for (const [kind, path] of [
    ['', ''],
    ['+cluster', ''],
    ['+sentinel', '/tags'],
  ] as const) {
    let close = () => {};
    const closed = new Set<Promise<unknown>>();
    // What the server says comes all at once: its certificate, and that the connection was closed too early.
    const way = net.createServer({ allowHalfOpen: true }, (client) => {
      closed.add(once(client, 'close'));
      const server = net.connect(port, '127.0.0.1').on('error', () => {});
      client.on('error', () => {}).pipe(server);
      const said: Buffer[] = [];
      server.on('data', (data: Buffer) => said.push(data)).on('end', () => client.end(Buffer.concat(said)));
      close();
    });
    const url = `rediss${kind}://127.0.0.1:${await listening(t, way)}${path}`;
    const redis = await redisConnection(redisAt(url), services());
    close = redis.close;
    await redis.connect();
    await Promise.all(closed);
    t.ok(closed.size > 0, url);
  }
});
