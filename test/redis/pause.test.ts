import { setImmediate } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { errorType } from '../../src/base/error-type.ts';
import { redisConnection } from '../../src/redis/connection.ts';
import { redisAt, redisTest } from '../helpers/redis.ts';
import { services } from '../helpers/room.ts';

redisTest('a pause of the process costs no connection whose replies have come', async (t, server) => {
  const redis = await redisConnection(redisAt(server.url), services());
  t.teardown(() => redis.close());
  await redis.connect();
  const connection = redis.client as Redis;
  const { stream } = connection;
  const asked = connection.get('x').catch(errorType);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
  t.equal(await asked, 'timeout', 'a command has its own time');
  for (const _ of [1, 2, 3]) await setImmediate();
  t.equal(await connection.get('x'), null);
  t.equal(connection.stream, stream);
});
