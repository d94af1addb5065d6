import type { Test } from 'tap';
import { redisConnection } from '../../src/redis/connection.ts';
import { redisAt, redisTest } from '../helpers/redis.ts';
import { clusterTest, sentinelTest } from '../helpers/redis-kinds.ts';
import { services } from '../helpers/room.ts';
import { until } from '../helpers/until.ts';
import { SESSION } from './outage.ts';
import { type Ask, guarded, RIGHTS, refusedBy, storeAll, useAll } from './rights.ts';
import { asking } from './topology.ts';

const without = (rights: readonly string[], right: string) => rights.filter((other) => other !== right);

/** Starts gateways for users who lack one of the rights each, and checks that each is refused something. */
async function isEachNeeded(t: Test, url: string, rights: readonly string[], servers: readonly Ask[]) {
  const users = new Map(rights.map((right, index) => [`user-${index}`, right]));
  for (const [user, right] of users) {
    for (const ask of servers) await ask('ACL', 'SETUSER', user, 'on', '>test', ...without(rights, right));
  }
  const use = (user: string) => useAll(t, { REDIS_URL: url.replace(/:[^:@]+@/, `${user}:test@`) }, user);
  await Promise.all([...users.keys()].map(use));
  const needless = async () => {
    const refused = await Promise.all(servers.map(refusedBy));
    const refusedTo = new Set(refused.flat().map(([user]) => user));
    return [...users].filter(([user]) => !refusedTo.has(user)).map(([, right]) => right);
  };
  // A PING comes after two seconds.
  await until('a refusal to each', async () => (await needless()).length === 0).catch(() => {});
  t.strictSame(await needless(), []);
}

redisTest('one server refuses something to a user who lacks one of the rights', async (t, redis) => {
  const ask: Ask = (...command) => redis.command(...command);
  const client = await redis.client(t);
  await client.select(1);
  await storeAll((...[name, ...args]) => client.call(name, ...args));
  await isEachNeeded(t, `${redis.url}/1`, RIGHTS.single, [ask]);
});

clusterTest('so does a Redis Cluster', async (t, cluster) => {
  await storeAll(asking(t, cluster));
  await cluster.moveSlotOf(SESSION);
  const servers = cluster.nodes.map(
    (node): Ask =>
      (...command) =>
        cluster.ask(node, ...command),
  );
  await isEachNeeded(t, cluster.url, RIGHTS.cluster, servers);
});

sentinelTest('so do sentinels', async (t, redis) => {
  const sentinels = await guarded(redis);
  for (const right of RIGHTS.sentinels) {
    for (const ask of sentinels) {
      const rights = without(RIGHTS.sentinels, right);
      await ask('ACL', 'SETUSER', 'default', 'reset', 'on', `>${redis.sentinelPassword}`, ...rights);
      await ask('ACL', 'LOG', 'RESET');
    }
    const { connect, close } = await redisConnection(redisAt(redis.url, redis.sentinelPassword), services());
    await connect();
    await until(`a refusal for want of ${right}`, async () => {
      const refused = await Promise.all(sentinels.map(refusedBy));
      return refused.flat().length > 0;
    });
    t.pass(right);
    close();
  }
});
