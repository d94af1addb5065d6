import { startGateway } from '../helpers/gateway.ts';
import { clusterTest, sentinelTest } from '../helpers/redis-kinds.ts';
import type { RedisSentinels } from '../helpers/redis-sentinels.ts';
import { until } from '../helpers/until.ts';
import { ALL_SERVED, answersTo, behindSentinels, inCluster, meanwhile } from './topology.ts';

clusterTest('when a master hands over to its replica nobody is refused as unknown', async (t, cluster) => {
  const gateway = await inCluster(t, cluster);
  const [master] = await cluster.masters();
  const ports = new Set((await cluster.masters()).map(({ port }) => port));
  const { answers, failedForMs } = await meanwhile(gateway, async () => {
    for (const node of cluster.nodes.filter(({ port }) => !ports.has(port))) {
      if (String(await cluster.ask(node, 'ROLE')).includes(`,${master?.port},`))
        await cluster.ask(node, 'CLUSTER', 'FAILOVER');
    }
    await until('the handover', async () => (await cluster.masters())[0]?.port !== master?.port);
  });
  t.notOk(answers.includes('session-invalid'), answers.join());
  t.ok(failedForMs < 1000, `${failedForMs} ms`);
  t.strictSame(await answersTo(gateway), ALL_SERVED);
});

clusterTest('a cluster that goes as a whole is found again, with its new password', async (t, cluster) => {
  const gateway = await startGateway(t, { REDIS_URL: cluster.url });
  const { port } = cluster.nodes[0] ?? {};
  await Promise.all(cluster.nodes.map((node) => node.kill()));
  const state = async () => (await gateway.get('/readyz')).json.redis;
  await until('the loss', async () => (await state()) === 'unavailable');
  t.equal((await gateway.setTags()).status, 200, 'and what needs no session of Redis is served');
  t.equal((await gateway.counts()).redis_connected, 0);
  await Promise.all(cluster.nodes.map((node) => node.start()));
  await cluster.isWhole();
  await until('the return', async () => (await state()) === 'ok');
  t.equal((await gateway.counts()).redis_connected, 1);
  t.ok(port);
});

for (const [name, lose] of [
  ['is killed', (master: RedisSentinels['servers'][number]) => master.kill()],
  ['hangs', async (master: RedisSentinels['servers'][number]) => master.freeze()],
] as const) {
  sentinelTest(
    `when the master ${name}, the next one is followed, and no session is lost`,
    async (t, redis) => {
      const { gateway, master, isMoved } = await behindSentinels(t, redis);
      const { answers, failedForMs } = await meanwhile(gateway, async () => {
        await lose(master);
        await isMoved();
      });
      t.strictSame(answers, ['200', 'session-store-unavailable'], 'none is refused as unknown');
      t.ok(failedForMs < 1900, `${failedForMs} ms`);
      t.strictSame(await answersTo(gateway), ALL_SERVED);
      t.match((await gateway.get('/readyz')).json, { redis: 'ok' });
    },
  );
}
