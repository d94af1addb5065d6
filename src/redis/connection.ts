import { setTimeout as wait } from 'node:timers/promises';
import { errorType } from '../base/error-type.ts';
import type { Rotating } from '../base/rotating.ts';
import type { RedisClient, Services } from '../base/services.ts';
import { redisCluster } from './cluster.ts';
import { Health } from './health.ts';
import { CONNECT_TIMEOUT_MS } from './options.ts';
import { redisServer } from './server.ts';
import type { RedisTarget } from './url.ts';

/** What commands end with while a replica takes the place of its master. */
const IN_FAILOVER = /^(?:CLUSTERDOWN|READONLY|disconnected|timeout)$/;
/** One that takes longer is not waited for. */
const FAILOVER_MS = 2000;

/** Where Redis is. A new user or password holds for the next connection: Redis goes on with those of an open one. */
export interface RedisConfig {
  readonly target: Rotating<RedisTarget>;
  readonly sentinelPassword: Rotating<string | undefined>;
}

/** The way to Redis, whichever kind it is. */
export interface RedisConnection {
  readonly client: RedisClient;
  /** `misconfigured`: something answers that is no Redis of the kind that REDIS_URL says. */
  readonly state: 'ok' | 'unavailable' | 'misconfigured';
  /**
   * Opens it, and waits a second for it at most: a Redis that is down, or loads its data, does not keep the gateway down. Why it
   * failed is logged, and it goes on trying.
   */
  connect(): Promise<void>;
  close(): void;
}

/** Makes the connection of the kind that the target says. */
export async function redisConnection(
  { target, sentinelPassword }: RedisConfig,
  services: Pick<Services, 'log' | 'metrics'>,
): Promise<RedisConnection> {
  const health = new Health(services);
  // ioredis is loaded only where it is needed: it is 7 MB, and a tenth of the start.
  const { client, close } =
    target.current.kind === 'cluster'
      ? await redisCluster(target, health)
      : await redisServer(target, sentinelPassword, health);
  const { kind } = target.current;
  const returnsSoon = (error: unknown) => IN_FAILOVER.test(errorType(error)) && health.lostMs < FAILOVER_MS;
  return {
    client: Object.assign(client, kind !== 'single' && { returnsSoon }),
    get state() {
      return health.state;
    },
    connect: () => {
      client.connect().catch(() => {});
      return Promise.race([health.known, wait(CONNECT_TIMEOUT_MS, undefined, { ref: false })]);
    },
    close,
  };
}
