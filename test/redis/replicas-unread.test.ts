import { startGateway } from '../helpers/gateway.ts';
import { testWith } from '../helpers/installed.ts';
import { opaqueSessions } from '../helpers/redis.ts';
import { RedisCluster } from '../helpers/redis-cluster.ts';
import { until } from '../helpers/until.ts';
import { ALL_SERVED, answersTo, asking, storeSessions } from './topology.ts';

testWith(
  'redis-server',
  'a replica is not asked whether a session is good, also where no master can be',
  async (t) => {
    // In so long none of them is given up.
    const cluster = await RedisCluster.start(t, { nodeTimeoutMs: 60_000 });
    await storeSessions(asking(t, cluster));
    const gateway = await startGateway(t, opaqueSessions(cluster.url));
    t.strictSame(await answersTo(gateway), ALL_SERVED);
    const masters = await cluster.masters();
    await Promise.all(masters.map((master) => master.kill()));
    await until('the loss', async () => (await gateway.counts()).redis_connected === 0);
    t.strictSame(await answersTo(gateway), { 'session-store-unavailable': ALL_SERVED[200] });
  },
);
