import type { Test } from 'tap';
import type { RedisClient } from '../../src/base/services.ts';
import { redisConnection } from '../../src/redis/connection.ts';
import { MINUTE_MS, MinuteCounter, type Tally } from '../../src/redis/minute-counter.ts';
import { countsOf } from '../helpers/metrics.ts';
import { type RedisServer, redisAt } from '../helpers/redis.ts';
import { services } from '../helpers/room.ts';

export const NUMBER = 30_000_000;
const MINUTE = NUMBER * MINUTE_MS;

/** A counter with a clock that the test sets, and what it logs. */
export function counterOf(t: Test, redis?: RedisClient, name = 'count', clock = { now: MINUTE }) {
  const around = services(redis, { now: () => clock.now });
  const warned = t.capture(around.log, 'warn');
  const informed = t.capture(around.log, 'info');
  const counter = new MinuteCounter(name, 'quota', around, { limit: 'user' });
  return {
    clock,
    counter,
    count: async (key: string) => numbers(await counter.add(key)),
    failures: async () => (await countsOf(around.metrics))['redis_failures quota'],
    warnings: () => warned().map(({ args }) => args as unknown[]),
    news: () => informed().map(({ args }) => args as unknown[]),
  };
}

export const numbers = ({ count, total }: Tally) => [count, total];

/** A connection as the gateway makes it, for the length of a test. */
export async function connected(t: Test, server: RedisServer): Promise<RedisClient> {
  const redis = await redisConnection(redisAt(server.url), services());
  t.teardown(() => redis.close());
  await redis.connect();
  return redis.client;
}
