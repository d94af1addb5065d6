import type { Redis } from 'ioredis';
import { errorType } from '../base/error-type.ts';
import type { Rotating } from '../base/rotating.ts';
import type { Health } from './health.ts';
import { passLaterErrors } from './later-errors.ts';
import { connectionOptions, reconnectDelay, signInAs } from './options.ts';
import { followMaster, masterOptions, sentinelAnswers } from './sentinels.ts';
import { endWhenSilent } from './silence.ts';
import type { RedisTarget } from './url.ts';

/** Reconnecting costs the commands that are under way, so a master that has become a replica is left only so often. */
const LEAVE_REPLICA_EVERY_MS = 10_000;

/** What INFO says of a server of another kind than REDIS_URL says. */
const MODES: Readonly<Record<string, string>> = {
  cluster: 'REDIS_URL leads to a node of a Redis Cluster: write redis+cluster://<host>:<port>',
  sentinel:
    'REDIS_URL leads to a sentinel: write redis+sentinel://<host>:<port>/<name of the master>/<database>',
};

/**
 * Makes a connection to one server, or to the master that sentinels name. Once lost it is opened again by itself, and until then
 * every command fails at once.
 */
export async function redisServer(
  target: Rotating<RedisTarget>,
  sentinelPassword: Rotating<string | undefined>,
  health: Health,
): Promise<{ client: Redis; close: () => void }> {
  const { Redis } = await import('ioredis');
  const { kind, hosts, db } = target.current;
  let leftAt = Number.NEGATIVE_INFINITY;
  const redis = new Redis({
    ...connectionOptions(target.current),
    ...(kind === 'sentinel' ? masterOptions(target.current) : hosts[0]),
    db,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: reconnectDelay,
    // After a failover the old master takes no writes: the name may lead to the new one.
    reconnectOnError: ({ message }: Error) => {
      if (!message.startsWith('READONLY') || performance.now() - leftAt < LEAVE_REPLICA_EVERY_MS)
        return false;
      leftAt = performance.now();
      return true;
    },
  });
  signInAs(redis.options, target);
  endWhenSilent(redis);
  passLaterErrors(redis);
  let stopFollowing: (() => void) | undefined;
  let answers: ReturnType<typeof sentinelAnswers> | undefined;
  if (kind === 'sentinel') {
    Object.defineProperty(redis.options, 'sentinelPassword', { get: () => sentinelPassword.current });
    answers = sentinelAnswers(redis);
    stopFollowing = await followMaster(redis, target.current, sentinelPassword);
  }
  redis.on('ready', async () => {
    const info = await redis.info('server').catch(() => '');
    const advice = MODES[/^redis_mode:(\w+)/m.exec(info)?.[1] ?? ''];
    if (advice) health.misconfigured(advice);
    else if (redis.status === 'ready') health.restored();
  });
  redis.on('error', (error: RedisError) => {
    if (answers && error.message.startsWith('All sentinels are unreachable')) {
      const { advice, type } = answers();
      if (advice) health.misconfigured(advice);
      else health.lost(type);
      return;
    }
    health.lost(errorType(error));
    // ioredis would go on with database 0, in which nobody has been signed out.
    if (error.command?.name === 'select') redis.disconnect(true);
  });
  redis.on('reconnecting', () => health.lost('closed'));
  const close = () => {
    redis.disconnect();
    stopFollowing?.();
  };
  return { client: redis, close };
}

interface RedisError extends Error {
  readonly command?: { readonly name: string };
}
