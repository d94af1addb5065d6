import type { BaseLogger } from 'pino';
import { errorType } from '../operations/log.ts';
import type { Metrics, RedisUse } from '../operations/metrics.ts';

/**
 * For what replicas do together in Redis, and each of them by itself while Redis cannot be asked. Every time that it
 * cannot is counted; the log has a line when it begins, and one when it is over.
 *
 * @param use as the metric names it
 * @param fields what else the log shall say
 */
export function sharedOrLocal(
  use: RedisUse,
  { log, metrics }: { log: Pick<BaseLogger, 'info' | 'warn'>; metrics: Metrics },
  fields: Record<string, string> = {},
) {
  let together = true;
  return async <T>(shared: () => Promise<T>, local: () => T | Promise<T>): Promise<T> => {
    try {
      const result = await shared();
      if (!together) log.info({ use, ...fields }, 'the replicas share this again');
      together = true;
      return result;
    } catch (error) {
      metrics.redisFailures.inc({ use });
      if (together) {
        log.warn({ use, ...fields, error: { type: errorType(error) } }, 'each replica is on its own in this');
      }
      together = false;
      return local();
    }
  };
}
