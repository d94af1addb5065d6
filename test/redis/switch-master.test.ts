import { EventEmitter } from 'node:events';
import type { Redis } from 'ioredis';
import { followMaster } from '../../src/redis/sentinels.ts';
import { parseRedisUrl } from '../../src/redis/url.ts';
import { type RedisServer, redisTest } from '../helpers/redis.ts';
import { until } from '../helpers/until.ts';

/** Any Redis can announce what sentinels announce. */
const announce = (server: RedisServer, master: string) =>
  server.command('PUBLISH', '+switch-master', `${master} 127.0.0.1 1 127.0.0.1 2`);

redisTest('a connection leaves its master once for each that takes its place', async (t, server) => {
  const { host, password } = new URL(server.url);
  const seen = { left: 0, looks: 0, status: 'ready' };
  class Connection extends EventEmitter {
    stream = { remoteAddress: '127.0.0.1', remotePort: 1 };
    get status() {
      seen.looks += 1;
      return seen.status;
    }
    disconnect(reconnect: boolean) {
      t.ok(reconnect);
      seen.left += 1;
    }
  }
  const redis = new Connection();
  const target = parseRedisUrl(`redis+sentinel://${host}/tags`);
  t.teardown(await followMaster(redis as unknown as Redis, target, { current: password }));
  redis.emit('connecting');
  await until('the subscription', async () => Number(await announce(server, 'others')) === 1);
  await announce(server, 'tags');
  await until('the first', () => seen.left === 1);

  [seen.status, seen.looks] = ['connecting', 0];
  await announce(server, 'tags');
  await until('the second', () => seen.looks > 0);
  t.equal(seen.left, 1, 'not while it is being made: it would never come');
  seen.status = 'ready';
  redis.emit('ready');
  t.equal(seen.left, 2, 'but then, since it may be to the old master');
  redis.emit('ready');
  t.equal(seen.left, 2);

  [redis.stream.remotePort, seen.looks] = [2, 0];
  await announce(server, 'tags');
  await until('the third', () => seen.looks > 0);
  t.equal(seen.left, 2, 'nor the new one');
});
