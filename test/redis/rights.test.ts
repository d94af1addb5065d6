import type { Test } from 'tap';
import { redisTest } from '../helpers/redis.ts';
import { clusterTest, sentinelTest } from '../helpers/redis-kinds.ts';
import { until } from '../helpers/until.ts';
import { SESSION } from './outage.ts';
import { ALL_USED, type Ask, answersOf, guarded, RIGHTS, refusedBy, storeAll, useAll } from './rights.ts';
import { asking } from './topology.ts';

const SIGN_IN = ['gateway', 'on', '>test'];
const asGateway = (url: string) => url.replace(/:[^:@]+@/, 'gateway:test@');

/**
 * Checks that a gateway with these variables is refused nothing, whatever it does.
 *
 * @param servers asked for what they refused
 * @param lose ends the gateway's connections, and perhaps more
 */
async function isRefusedNothing(
  t: Test,
  env: Record<string, string>,
  servers: readonly Ask[],
  lose: () => Promise<unknown>,
) {
  const { jwt, opaque, answers } = await useAll(t, env);
  t.strictSame(answers, ALL_USED);
  // An idle connection is asked whether it still is one.
  await until('a PING', async () => {
    const clients = await Promise.all(servers.map((ask) => ask('CLIENT', 'LIST')));
    return /name=cometchat-gateway .*cmd=ping/.test(clients.join('\n'));
  });
  await lose();
  await until('the return', async () => (await answersOf(jwt, opaque)).join() === ALL_USED.join());
  jwt.sandbox.fault({ status: 429 });
  t.equal((await jwt.put({ tags: ['d'] })).json.code, 'cometchat-busy');
  t.equal((await jwt.counts())['redis_failures quota'], 0);
  for (const ask of servers) t.strictSame(await refusedBy(ask), []);
}

redisTest('one server refuses nothing to a user with the rights that the page names', async (t, redis) => {
  const inDatabase = { REDIS_URL: `${asGateway(redis.url)}/1` };
  const ask: Ask = (...command) => redis.command(...command);
  await ask('ACL', 'SETUSER', ...SIGN_IN, ...RIGHTS.single);
  const client = await redis.client(t);
  await client.select(1);
  await storeAll((...[name, ...args]) => client.call(name, ...args));
  await isRefusedNothing(t, inDatabase, [ask], () => ask('CLIENT', 'KILL', 'USER', 'gateway'));
});

clusterTest('nor does a Redis Cluster, also while a slot moves', async (t, cluster) => {
  const servers = cluster.nodes.map(
    (node): Ask =>
      (...command) =>
        cluster.ask(node, ...command),
  );
  for (const ask of servers) await ask('ACL', 'SETUSER', ...SIGN_IN, ...RIGHTS.cluster);
  await storeAll(asking(t, cluster));
  const finish = await cluster.moveSlotOf(SESSION);
  await isRefusedNothing(t, { REDIS_URL: asGateway(cluster.url) }, servers, async () => {
    await finish();
    for (const ask of servers) await ask('CLIENT', 'KILL', 'USER', 'gateway');
  });
});

sentinelTest('nor do a master and the sentinels that name it', async (t, redis) => {
  const sentinels = await guarded(redis);
  for (const ask of sentinels) {
    await ask('ACL', 'SETUSER', 'default', 'reset', 'on', `>${redis.sentinelPassword}`, ...RIGHTS.sentinels);
    await ask('ACL', 'LOG', 'RESET');
  }
  const servers = redis.servers.map(
    (server): Ask =>
      (...command) =>
        redis.ask(server, ...command),
  );
  for (const ask of servers) await ask('ACL', 'SETUSER', ...SIGN_IN, ...RIGHTS.sentinel);
  const [master, replica] = servers;
  if (!master || !replica) throw new Error('there are two');
  await storeAll(master);
  const env = { ...redis.environment, REDIS_URL: asGateway(redis.url) };
  await isRefusedNothing(t, env, [...servers, ...sentinels], async () => {
    await sentinels[0]?.('SENTINEL', 'FAILOVER', 'tags');
    await until('the failover', async () =>
      String(await replica('ROLE').catch(() => '')).startsWith('master'),
    );
  });
});
