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

/** Of a cluster a part may be unavailable: it is over when nothing has failed for so long. */
const OVER_AFTER_MS = 1000;

/**
 * For state that replicas share in Redis, and that each keeps in its process while Redis is unavailable. Each time is
 * counted; the log has a line when it begins, and one when it is over.
 *
 * @param use what Redis is used for, in metrics and log
 * @param fields what else the log says
 * @returns runs `shared`, and where that fails `local`, with the error
 */
export function sharedOrLocal(
  use: string,
  { log, metrics, seams: { clock } }: Pick<Services, 'log' | 'metrics' | 'seams'>,
  fields: Record<string, string> = {},
) {
  const countFailure = redisFailures(metrics, use);
  let failedAt: number | undefined;
  return async <T>(shared: () => Promise<T>, local: (error: unknown) => T | Promise<T>): Promise<T> => {
    try {
      const result = await shared();
      if (failedAt !== undefined && clock.now() - failedAt >= OVER_AFTER_MS) {
        log.info({ use, ...fields }, 'Redis available: using shared state');
        failedAt = undefined;
      }
      return result;
    } catch (error) {
      countFailure();
      if (failedAt === undefined) {
        const type = errorType(error);
        log.warn({ use, ...fields, error: { type } }, 'Redis unavailable: using in-process state');
      }
      failedAt = clock.now();
      return local(error);
    }
  };
}
