import tap from 'tap';
import { startGateway } from '../helpers/gateway.ts';
import { freePort } from '../helpers/ports.ts';
import { opaqueSessions, sessionKey } from '../helpers/redis.ts';
import { clusterTest } from '../helpers/redis-kinds.ts';
import { ALL_SERVED, answersTo, asking, inCluster, meanwhile, shareAll, storeSessions } from './topology.ts';

clusterTest('replicas share all in a Redis Cluster, wherever its slots are', async (t, cluster) => {
  await shareAll(t, { REDIS_URL: cluster.url }, asking(t, cluster));
});

clusterTest(
  'a name of the cluster is good for the start: it waits for all nodes, and nothing is lost',
  async (t, cluster) => {
    await storeSessions(asking(t, cluster));
    const [{ port } = { port: 0 }] = cluster.nodes;
    const url = `redis+cluster://:${cluster.password}@localhost:${port}`;
    const gateway = await startGateway(t, opaqueSessions(url));
    t.match((await gateway.get('/readyz')).json, { redis: 'ok' }, 'at once');
    t.strictSame(await answersTo(gateway), ALL_SERVED);
    t.notMatch(gateway.lines.join(), /Redis connection/);
  },
);

void tap.test('why no node of a cluster can be reached stands in the log', async (t) => {
  const gateway = await startGateway(t, { REDIS_URL: `redis+cluster://127.0.0.1:${await freePort()}` });
  t.equal((await gateway.get('/readyz')).json.redis, 'unavailable');
  const told = gateway.lines
    .filter((line) => line.includes('Redis connection'))
    .map((line) => JSON.parse(line));
  t.match(told, [{ msg: 'Redis connection lost', error: { type: 'ECONNREFUSED' } }]);
});

clusterTest('slots that move to another master are followed, and no request fails', async (t, cluster) => {
  const gateway = await inCluster(t, cluster);
  const [from, to] = await cluster.masters();
  if (!from || !to) throw new Error('there are three masters');
  const { answers } = await meanwhile(gateway, async () => {
    // Some that have a session, and some around them.
    const slots = new Set<number>();
    for (let n = 0; n < 48; n += 1) {
      const slot = Number(await cluster.ask(from, 'CLUSTER', 'KEYSLOT', sessionKey(`token-${n}`)));
      for (const one of [slot - 1, slot, slot + 1]) if (one >= 0 && one < 5400) slots.add(one);
    }
    for (const slot of slots) {
      const finish = await cluster.moveSlot(slot, from, to);
      await finish();
    }
    t.ok(slots.size > 10, `${slots.size} slots`);
  });
  t.strictSame(answers, ['200']);
  t.notMatch(gateway.lines.join(), /Redis connection lost/);
});

clusterTest('a gateway that may not follow a slot on its move goes on without it', async (t, cluster) => {
  await storeSessions(asking(t, cluster));
  for (const node of cluster.nodes) {
    await cluster.ask(node, 'ACL', 'SETUSER', 'gateway', 'on', '>test', '~*', '+@all', '-asking');
  }
  const gateway = await startGateway(t, opaqueSessions(cluster.url.replace(/:[^:@]+@/, 'gateway:test@')));
  const finish = await cluster.moveSlotOf(sessionKey('token-0'));
  t.strictSame(await answersTo(gateway), { 200: 47, 'session-store-unavailable': 1 });
  await finish();
  t.strictSame(await answersTo(gateway), ALL_SERVED);
});

clusterTest('when a master is killed its replica is followed, and no session is lost', async (t, cluster) => {
  const gateway = await inCluster(t, cluster);
  const [master] = await cluster.masters();
  const { answers, failedForMs } = await meanwhile(gateway, async () => {
    await master?.kill();
    await cluster.isWhole();
  });
  t.strictSame(answers, ['200', 'session-store-unavailable'], 'none is refused as unknown');
  t.ok(failedForMs < 1000, `${failedForMs} ms`);
  t.strictSame(await answersTo(gateway), ALL_SERVED);
  const told = gateway.lines.filter((line) => /Redis connection/.test(line)).map((line) => JSON.parse(line));
  t.match(told, [{ level: 'warn', msg: 'Redis connection lost' }, { msg: 'Redis connection restored' }]);
  t.match((await gateway.get('/readyz')).json, { redis: 'ok' });
  const failures = async () => (await gateway.counts())['redis_failures session'];
  const before = await failures();
  await master?.start();
  await cluster.isWhole(1);
  await answersTo(gateway);
  t.equal(await failures(), before, 'nor does its return disturb anybody');
});
