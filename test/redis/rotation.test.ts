import type { Cluster } from 'ioredis';
import type { Test } from 'tap';
import { redisConnection } from '../../src/redis/connection.ts';
import { parseRedisUrl } from '../../src/redis/url.ts';
import { redisAt } from '../helpers/redis.ts';
import { clusterTest, sentinelTest } from '../helpers/redis-kinds.ts';
import { services } from '../helpers/room.ts';
import { until } from '../helpers/until.ts';

type Ask = (...command: [string, ...string[]]) => Promise<unknown>;

const ids = async (ask: Ask) =>
  [...String(await ask('CLIENT', 'LIST')).matchAll(/^id=(\d+) .* name=cometchat-gateway /gm)].map(
    ([, id]) => id,
  );

/** A connection, the types of the errors that it logs, and how to end its connections at some servers. */
async function connected(t: Test, url: string, sentinelPassword?: string) {
  const errors: string[] = [];
  const around = services();
  const error = (fields: { error?: { type: string } }) => errors.push(fields.error?.type ?? '');
  const config = redisAt(url, sentinelPassword);
  const connection = await redisConnection(config, { ...around, log: { ...around.log, error } });
  t.teardown(connection.close);
  await connection.connect();
  t.equal(connection.state, 'ok');
  const lose = async (servers: readonly Ask[]) => {
    const before = await Promise.all(servers.map(ids));
    for (const ask of servers)
      for (const type of ['normal', 'pubsub']) await ask('CLIENT', 'KILL', 'TYPE', type);
    t.ok(before.every(({ length }) => length > 0));
    /** Waits until there are others. */
    return () =>
      until('other connections', async () => {
        const now = await Promise.all(servers.map(ids));
        return (
          connection.state === 'ok' &&
          now.every((those, n) => those.length > 0 && those.every((id) => !before[n]?.includes(id)))
        );
      });
  };
  return { connection, config, errors, lose };
}

clusterTest('a new password is used by the next connection to each node of a cluster', async (t, cluster) => {
  const { connection, config, errors, lose } = await connected(t, cluster.url);
  const client = connection.client as Cluster;
  const masters = (await cluster.masters()).map(
    (node): Ask =>
      (...command) =>
        cluster.ask(node, ...command),
  );
  const rotate = () => {
    config.target.current = parseRedisUrl(cluster.url);
  };
  const refresh = () => new Promise<unknown>((resolve) => client.refreshSlotsCache(resolve));

  await cluster.changePassword();
  t.equal(await client.get('x'), null, 'which goes on meanwhile');
  rotate();
  t.equal(await refresh(), undefined, 'the slots are asked for with the new one');
  await (await lose(masters))();
  t.strictSame(errors, []);

  await cluster.changePassword();
  const isBack = await lose(masters);
  await until('the line', () => errors.length > 0);
  rotate();
  await isBack();
  t.strictSame(errors, ['WRONGPASS'], 'once');
});

sentinelTest('new passwords are used by the next connections to sentinels and master', async (t, redis) => {
  const { connection, config, errors, lose } = await connected(t, redis.url, redis.sentinelPassword);
  const sentinels = redis.sentinels.map(
    (one): Ask =>
      (...command) =>
        redis.askSentinel(one, ...command),
  );
  const all = async (): Promise<Ask[]> => {
    const master = await redis.master();
    return [...sentinels, (...command) => redis.ask(master, ...command)];
  };
  const rotate = () => {
    config.target.current = parseRedisUrl(redis.url);
    config.sentinelPassword.current = redis.sentinelPassword;
  };

  await redis.changePasswords();
  t.equal(await connection.client.get('x'), null, 'which goes on meanwhile');
  rotate();
  await (await lose(await all()))();
  const { port } = await redis.master();
  await sentinels[0]?.('SENTINEL', 'FAILOVER', 'tags');
  await until('another master', async () => (await redis.master())?.port !== port);
  await until('a write', async () => (await connection.client.set('x', 1).catch(() => '')) === 'OK');
  t.strictSame(errors, []);

  await redis.changePasswords();
  const isBack = await lose(await all());
  await until('the line', () => errors.length > 0);
  rotate();
  await isBack();
  t.strictSame(errors, ['WRONGPASS'], 'once');
});
