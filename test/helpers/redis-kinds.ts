import type { Test } from 'tap';
import { testWith } from './installed.ts';
import { RedisCluster } from './redis-cluster.ts';
import { RedisSentinels } from './redis-sentinels.ts';

/** A test with a Redis Cluster of its own: three masters, each with a replica. */
export const clusterTest = (name: string, body: (t: Test, cluster: RedisCluster) => Promise<unknown>): void =>
  testWith('redis-server', name, async (t) => body(t, await RedisCluster.start(t)));

/** A test with a master, its replica, and three sentinels of its own. */
export const sentinelTest = (
  name: string,
  body: (t: Test, redis: RedisSentinels) => Promise<unknown>,
): void => testWith('redis-server', name, async (t) => body(t, await RedisSentinels.start(t)));
