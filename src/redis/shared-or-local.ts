import { errorType } from '../base/error-type.ts';
import type { Metrics, Services } from '../base/services.ts';

/**
 * Counts the failures of Redis.
 *
 * @param use what Redis is used for
 * @returns counts one
 */
export function redisFailures(metrics: Metrics, use: string): () => void {
  const counter = metrics.counter(
    'redis_failures_total',
    'Times that Redis could not be asked: sessions are then refused, all else uses in-process state',
    { use: [use] },
  );
  return () => counter.inc({ use });
}

/**
 * For state that replicas share in Redis, and that each keeps in its process while Redis is unavailable. Each time is
 * counted; the log has a line when it begins, and one when it is over.
 *
 * @param use what Redis is used for, in metrics and log
 * @param fields what else the log says
 * @returns runs `shared`, and `local` where that fails
 */
export function sharedOrLocal(
  use: string,
  { log, metrics }: Pick<Services, 'log' | 'metrics'>,
  fields: Record<string, string> = {},
) {
  const countFailure = redisFailures(metrics, use);
  let isShared = true;
  return async <T>(shared: () => Promise<T>, local: () => T | Promise<T>): Promise<T> => {
    try {
      const result = await shared();
      if (!isShared) log.info({ use, ...fields }, 'Redis available: using shared state');
      isShared = true;
      return result;
    } catch (error) {
      countFailure();
      if (isShared) {
        const type = errorType(error);
        log.warn({ use, ...fields, error: { type } }, 'Redis unavailable: using in-process state');
      }
      isShared = false;
      return local();
    }
  };
}
