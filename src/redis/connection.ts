import { setTimeout as wait } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { errorType } from '../base/error-type.ts';
import type { Rotating } from '../base/rotating.ts';
import type { Services } from '../base/services.ts';
import { redisCredentials } from './url.ts';

/** A command takes well under a millisecond; a request waits no longer than this for a Redis that hangs. */
const COMMAND_TIMEOUT_MS = 500;
const LOOK_EVERY_MS = 250;
/** A connection on which no reply comes for so many looks, a second, is given up, and no request waits any more. */
const LOOKS_WITHOUT_REPLY = 4;
/**
 * A connection on which nothing has come for so many looks, two seconds, is asked whether it still is one. A firewall, NAT or
 * load balancer in between may have forgotten it without a word.
 */
const LOOKS_UNTIL_ASKED = 8;
const CONNECT_TIMEOUT_MS = 1000;
const LONGEST_RECONNECT_DELAY_MS = 1000;
/** Redis is there and refuses the gateway: no waiting mends that. */
const REFUSALS = /^(?:WRONGPASS|NOAUTH|NOPERM)$/;
/** Reconnecting costs the commands that are under way, so a master that has become a replica is left only so often. */
const LEAVE_REPLICA_EVERY_MS = 10_000;

/**
 * Makes the connection to Redis, which connect() opens. Once lost it is opened again by itself, and until then every command
 * fails at once.
 *
 * @param url as parseRedisUrl() gives it. A new user or password holds for the next connection: Redis goes on with those of
 *   an open one
 */
export async function redisConnection(
  url: Rotating<string>,
  { log, metrics }: Pick<Services, 'log' | 'metrics'>,
): Promise<Redis> {
  // Loaded only where it is needed: it is 7 MB, and a tenth of the start.
  const { Redis } = await import('ioredis');
  let leftAt = Number.NEGATIVE_INFINITY;
  const redis = new Redis(url.current, {
    lazyConnect: true,
    connectionName: 'cometchat-gateway',
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // However long Redis says that it is going to load its data.
    maxLoadingRetryTime: LONGEST_RECONNECT_DELAY_MS,
    retryStrategy: (attempt) => {
      Object.assign(redis.options, redisCredentials(url.current));
      return Math.min(attempt * 50, LONGEST_RECONNECT_DELAY_MS);
    },
    // After a failover the old master takes no writes: the name may lead to the new one.
    reconnectOnError: ({ message }) => {
      if (!message.startsWith('READONLY') || performance.now() - leftAt < LEAVE_REPLICA_EVERY_MS)
        return false;
      leftAt = performance.now();
      return true;
    },
  });
  /** Why it is unavailable, as far as the log says so: the first reason, and that it refuses the gateway. */
  const logged = new Set<string>();
  const lost = (type: string) => {
    const isRefusal = REFUSALS.test(type);
    if (logged.has(type) || (logged.size > 0 && !isRefusal)) return;
    logged.add(type);
    log[isRefusal ? 'error' : 'warn']({ error: { type } }, 'Redis connection lost');
  };
  redis.on('ready', () => {
    if (logged.size > 0) log.info('Redis connection restored');
    logged.clear();
  });
  redis.on('connect', () => watch(redis));
  redis.on('error', (error: RedisError) => {
    lost(errorType(error));
    // ioredis would go on with database 0, in which nobody has been signed out.
    if (error.command?.name === 'select') redis.disconnect(true);
  });
  redis.on('reconnecting', () => lost('closed'));
  metrics.gauge('redis_connected', '1 while Redis can be asked', [], (gauge) =>
    gauge.set(Number(redis.status === 'ready')),
  );
  return redis;
}

/**
 * Ends a connection that does not reply. Looks are counted, not the time: after a pause of the whole process, replies that came
 * meanwhile are read before the next look.
 */
function watch(redis: Redis): void {
  const { stream } = redis;
  /** Bytes that had been sent when the last reply came. */
  let answered = 0;
  let looks = { idle: 0, waiting: 0 };
  stream.on('data', () => {
    answered = stream.bytesWritten;
    looks = { idle: 0, waiting: 0 };
  });
  const look = setInterval(() => {
    looks.idle += 1;
    if (stream.bytesWritten > answered) looks.waiting += 1;
    if (looks.waiting === LOOKS_WITHOUT_REPLY) stream.destroy(new Error('Redis timed out'));
    // Any reply will do, an error as well.
    else if (looks.idle === LOOKS_UNTIL_ASKED) redis.ping().catch(() => {});
  }, LOOK_EVERY_MS).unref();
  stream.once('close', () => clearInterval(look));
}

/**
 * Opens the connection, and waits a second for it at most: a Redis that is down, or loads its data, does not keep the gateway
 * down. The connection logs why it failed, and goes on trying.
 */
export const connect = (redis: Redis): Promise<void> =>
  Promise.race([redis.connect().catch(() => {}), wait(CONNECT_TIMEOUT_MS, undefined, { ref: false })]);

interface RedisError extends Error {
  readonly command?: { readonly name: string };
}
