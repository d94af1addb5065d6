import { setTimeout as wait } from 'node:timers/promises';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import type { Redis } from 'ioredis';
import type { Rotating } from '../base/rotating.ts';
import { errorType } from '../operations/log.ts';

/** A command takes well under a millisecond; a request waits no longer than this for a Redis that hangs. */
const COMMAND_TIMEOUT_MS = 500;
/** When nothing came for so long, the connection is given up, and no request waits any more. */
const SILENCE_TIMEOUT_MS = 1000;
const CONNECT_TIMEOUT_MS = 1000;
const LONGEST_RECONNECT_DELAY_MS = 1000;
/** Redis is there, and does not take us: no waiting mends that. */
const REFUSALS = /^(?:WRONGPASS|NOAUTH|NOPERM)$/;
/** Reconnecting costs the commands that are under way, so a master that has become a replica is left only so often. */
const LEAVE_REPLICA_EVERY_MS = 10_000;

/**
 * Reads the address of a Redis.
 *
 * @returns it in its normal form
 * @throws Error whose message says what is wrong with it, and never repeats it
 */
export function parseRedisUrl(text: string): string {
  const url = URL.parse(text);
  if (!url || !/^rediss?:$/.test(url.protocol) || url.hostname === '' || url.search || url.hash) {
    throw new Error(
      'must be a URL such as redis://host:6379/0, or rediss:// with TLS, without query or fragment',
    );
  }
  if (!/^\/?\d*$/.test(url.pathname)) {
    throw new Error('must have the number of a database as its path, or none');
  }
  if (![url.username, url.password].every(isEncoded)) {
    throw new Error('must have user and password percent-encoded: "%25" for a "%"');
  }
  return url.href;
}

function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** @returns the password of a Redis URL as it stands there and as it is sent */
export function redisPasswords(url: string): string[] {
  const { password } = new URL(url);
  return password === '' ? [] : [password, decodeURIComponent(password)];
}

function redisCredentials(url: string): { username: string; password: string } {
  const { username, password } = new URL(url);
  return { username: decodeURIComponent(username), password: decodeURIComponent(password) };
}

/** @returns whether two Redis URLs lead to the same database, whoever asks */
export function isSameRedis(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => {
    const { protocol, hostname, port, pathname } = new URL(text);
    return [protocol, hostname, port || '6379', pathname.replace(/^\//, '') || '0'].join();
  });
  return a === b;
}

/**
 * Connects an app to Redis for as long as it lives. A Redis that is down does not keep the app down: the
 * connection is made again by itself, and until then every command fails at once.
 *
 * @param url as parseRedisUrl() gives it; undefined gives no Redis. A new user or password holds for the next
 *   connection: Redis goes on with those of an open one
 */
export async function redisFor(
  app: FastifyInstance,
  url: Rotating<string> | undefined,
): Promise<Redis | undefined> {
  if (url === undefined) return undefined;
  const redis = await connect(url, app.log);
  // Its failure is logged, and tried again, by the connection itself. A Redis that loads its data says so and
  // is waited for, but not by the start.
  app.addHook('onReady', () =>
    Promise.race([redis.connect().catch(() => {}), wait(CONNECT_TIMEOUT_MS, undefined, { ref: false })]),
  );
  app.addHook('onClose', async () => redis.disconnect());
  app.metrics.showRedis(() => redis.status === 'ready');
  return redis;
}

async function connect(url: Rotating<string>, log: FastifyBaseLogger): Promise<Redis> {
  // Loaded only where it is asked for: it is 7 MB, and a tenth of the start.
  const { Redis } = await import('ioredis');
  let leftAt = Number.NEGATIVE_INFINITY;
  const redis = new Redis(url.current, {
    lazyConnect: true,
    connectionName: 'cometchat-gateway',
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    socketTimeout: SILENCE_TIMEOUT_MS,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // Looked at again so soon, whatever Redis says of how long it is going to load its data.
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
  /** Why it cannot be used, as far as that has been told: its first reason, and that it does not take us. */
  const told = new Set<string>();
  const lost = (type: string) => {
    const isRefusal = REFUSALS.test(type);
    if (told.has(type) || (told.size > 0 && !isRefusal)) return;
    told.add(type);
    log[isRefusal ? 'error' : 'warn']({ error: { type } }, 'Redis cannot be used');
  };
  redis.on('ready', () => {
    if (told.size > 0) log.info('Redis is back');
    told.clear();
  });
  redis.on('error', (error: RedisError) => {
    lost(errorType(error));
    // ioredis would go on with database 0, in which nobody has been signed out.
    if (error.command?.name === 'select') redis.disconnect(true);
  });
  redis.on('reconnecting', () => lost('closed'));
  return redis;
}

interface RedisError extends Error {
  readonly command?: { readonly name: string };
}
